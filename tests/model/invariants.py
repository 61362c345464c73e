"""What holds after each step, as the members of each vault see it through the relay's own answers."""

from dataclasses import dataclass, field

from tests.http.device import Device
from tests.http.documented import Answer
from tests.http.world import World
from tests.model.expected import Expected, PlainRelay
from tests.model.plain import FIELDS, Json, PlainVault, base64url, digest_of, link
from tests.model.stores import rfc3339_ms

__all__ = ["Seen", "check_blobs", "check_page", "rfc3339_ms"]


def check_page(answer: Answer, expected: Expected, since: int, max_bytes: int) -> None:
    """A page is the log's own, without a gap; it ends early only where it would get too long (§7.7)."""
    assert (answer.status, answer.code) == (expected.status, expected.code)
    assert expected.told is not None or answer.status >= 400
    told, wanted = dict(answer.json), dict(expected.told or {})
    if answer.status >= 400:
        assert {name: told.get(name) for name in wanted} == wanted
        return
    found, longest = told["changesets"], wanted["changesets"]
    assert found == longest[: len(found)]
    assert bool(found) == bool(longest)
    assert len(answer.text.encode()) <= max_bytes or len(found) == 1
    if len(found) < len(longest):
        assert len(answer.text.encode()) + len(str(longest[len(found)])) > max_bytes, "it ended for no reason"
    cursor = since + len(found)
    assert told == wanted | {"changesets": found, "cursor": cursor, "has_more": cursor < told["head"]["seq"]}


def check_blobs(keys: list[str], model: PlainRelay) -> None:
    """After a run of retention each blob that a snapshot names is there, and no other."""
    named = [vault_id for vault_id, vault in model.vaults.items() for one in vault.snapshots if one.uploaded]
    assert sorted(key.partition("/")[0] for key in keys) == sorted(named)


@dataclass
class Seen:
    """What was seen so far, of each vault: it only grows."""

    heads: dict[str, int] = field(default_factory=dict)
    floors: dict[str, int] = field(default_factory=dict)
    epochs: set[str] = field(default_factory=set)

    def new_epoch(self, epoch: str) -> None:
        """No epoch is ever drawn twice."""
        assert epoch not in self.epochs
        self.epochs.add(epoch)

    def check(self, world: World, model: PlainRelay, devices: list[Device], vault_ids: set[str]) -> None:
        """Read all that these vaults' first members can see, and what those who are none are told."""
        for vault in [vault for vault_id, vault in model.vaults.items() if vault_id in vault_ids]:
            reader = next(device for device in devices if device.id == vault.members[0])
            self._check_vault(world, model, vault, reader)
        for vault_id in model.erased & vault_ids:
            for device in devices[:2]:
                expected = model.vault(vault_id, device.id)
                assert expected.status in {401, 404}
                assert world.call(device, "GET", f"/vaults/{vault_id}").outcome == (expected.status, expected.code)

    def _check_vault(self, world: World, model: PlainRelay, vault: PlainVault, reader: Device) -> None:
        path = f"/vaults/{vault.id}"
        told = world.call(reader, "GET", path).json
        assert told == vault.told(model.now_ms)
        assert world.call(reader, "GET", f"{path}/devices").json == vault.roster()
        expected = model.snapshots(vault.id, reader.id)
        listed = world.call(reader, "GET", f"{path}/snapshots").json
        assert listed == expected.told
        covered = [one["covers"]["seq"] for one in listed["snapshots"] if one["status"] == "available"]
        assert told["floor"]["seq"] <= max(covered, default=0), "something was pruned that no snapshot holds"
        assert told["head"]["seq"] >= self.heads.get(vault.id, 0), "the head went down"
        assert told["floor"]["seq"] >= self.floors.get(vault.id, 0), "the floor went down"
        self.heads[vault.id], self.floors[vault.id] = told["head"]["seq"], told["floor"]["seq"]
        self._check_log(world, vault, reader, told)

    def _check_log(self, world: World, vault: PlainVault, reader: Device, told: Json) -> None:
        """Pull all that is there: no gap, each id once, the chain links the floor to the head, one epoch."""
        since, chain, found = told["floor"]["seq"], vault.chain_at(told["floor"]["seq"]), []
        assert base64url(chain) == told["floor"]["chain"]
        has_more = True
        while has_more:
            page = world.call(reader, "GET", f"/vaults/{vault.id}/changesets", query=[("since", str(since))]).json
            assert page["epoch"] == told["epoch"]
            assert page["head"] == told["head"]
            for changeset in page["changesets"]:
                since += 1
                chain = link(chain, digest_of(vault.id, {name: changeset[name] for name in FIELDS}))
                assert (changeset["seq"], changeset["chain"]) == (since, base64url(chain))
            found += page["changesets"]
            assert page["cursor"] == since
            has_more = page["has_more"]
        assert {"seq": since, "chain": base64url(chain)} == told["head"]
        ids = [entry.changeset["id"] for entry in vault.log[: vault.floor_seq]] + [one["id"] for one in found]
        assert len(set(ids)) == len(ids), "a changeset stands in the log twice"
        assert found == [entry.pulled() for entry in vault.log[vault.floor_seq :]], "what was acknowledged is not there"
