"""Draws what devices, operator and machine do to one relay, in any order, and holds each answer against the model.

Every request is signed and goes through the real handlers. After each step everything that the vaults' members can see
is read back and judged (`invariants`).
"""

from collections.abc import Callable
from hashlib import sha256
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from tests.http.device import Device
from tests.model import invariants
from tests.model.plain import Json, base64url
from tests.model.sending import DEVICES, ModelledRelay

BLOBS = 8
OPERATORS = {"maintain", "restart", "renew_epochs", "set_clock"}
"""What is not done twice without a device's doing something in between."""
HOUR = 3600
ALL_EVERY = 5

vaults = st.sampled_from([0, 0, 0, 0, 0, 0, 1, 1, 1, 2])
devices = st.integers(0, DEVICES - 1)
callers = st.integers(0, 31)
"""Most of them the vault's members, see `RelayMachine.caller`."""
blobs = st.integers(0, BLOBS - 1)
fates = st.sampled_from(["answered", "answered", "answered", "lost", "store refuses", "store loses the answer"])
"""What becomes of a request: its answer comes; it is lost, and the request sent again; or a store fails on the way."""
AGAIN = ("own", "own", "own", "own", "another's", "edited")
jumps = st.sampled_from([5, 20 * 60, 2 * HOUR, 25 * HOUR, 72 * HOUR])


OPERATIONS: dict[str, tuple[int, st.SearchStrategy[Json]]] = {}
"""What can be done: how often of a hundred and some, and what is drawn for it."""

Method = TypeVar("Method", bound=Callable[..., None])


def operation(weight: int, **arguments: st.SearchStrategy[Any]) -> Callable[[Method], Method]:
    """Let a method be drawn, so often.

    One rule draws them all: of rules of their own Hypothesis leaves most out of a run, and few come to anything.
    """

    def note(method: Method) -> Method:
        OPERATIONS[method.__name__] = (weight, st.fixed_dictionaries(arguments))
        return method

    return note


class RelayMachine(ModelledRelay):
    """One relay, and all that happens to it."""

    @rule(data=st.data())
    def step(self, data: st.DataObject) -> None:
        """Do one of the operations below."""
        name = data.draw(st.sampled_from([name for name, (weight, _) in OPERATIONS.items() for _ in range(weight)]))
        if name in OPERATORS and self.is_idle:
            name = "push"
        getattr(self, name)(**data.draw(OPERATIONS[name][1], name))

    # -------- what is done

    @initialize()
    def begin(self) -> None:
        for vault in range(2):
            for device in range(vault, vault + 3):
                self.register(vault, device, None if device == vault else 31, "right", "answered")

    @operation(
        8,
        vault=vaults,
        device=devices,
        endorser=st.one_of(callers, callers, callers, st.none()),
        kind=st.sampled_from(["right", "right", "forged", "expired", "too far ahead"]),
        fate=fates,
    )
    def register(self, vault: int, device: int, endorser: int | None, kind: str, fate: str) -> None:
        """Found a vault, also one that was erased, or join one."""
        vault_id, joining = self.vault_id(vault), self.devices[device]
        endorsement = None if endorser is None else self._endorsement(vault, joining, endorser, kind)
        body: Json = {"vault_id": vault_id, "public_key": joining.public_key}
        body |= {} if endorsement is None else {"endorsement": endorsement}
        fault = "endorsement_invalid" if kind == "forged" else ""
        self.request(
            fate,
            "register",
            lambda: self.world.call(joining, "POST", "/devices", body),
            lambda: self.model.register(vault_id, joining.id, joining.public_key, endorsement, fault),
        )

    def _endorsement(self, vault: int, joining: Device, by: int, kind: str) -> Json:
        endorser = self.caller(vault, by)
        ahead_seconds = {"expired": -1, "too far ahead": 8 * 24 * HOUR}.get(kind, HOUR)
        named = joining.id if kind != "forged" else endorser.id
        return endorser.endorse(self.vault_id(vault), named, self.world.clock.seconds + ahead_seconds)

    @operation(3, vault=vaults)
    def found_anew(self, vault: int) -> None:
        """Once a vault is erased, its devices found another under a new id."""
        if self.vault_id(vault) in self.model.erased:
            self.register(vault, vault, None, "right", "answered")
            self.generations[vault] += 1
            self.register(vault, vault, None, "right", "answered")

    @operation(4, vault=vaults, by=callers, device=devices, fate=fates)
    def revoke(self, vault: int, by: int, device: int, fate: str) -> None:
        sender = self.caller(vault, by)
        named = self.devices[device].id
        self.request(
            fate,
            "revoke",
            lambda: self.world.call(sender, "DELETE", self.path(vault, f"/devices/{named}")),
            lambda: self.model.revoke(self.vault_id(vault), sender.id, named),
        )

    @operation(
        30,
        vault=vaults,
        by=callers,
        fresh=st.sampled_from([0, 1, 1, 2, 3, 4]),
        again=st.lists(st.tuples(st.integers(0, 30), st.sampled_from(AGAIN)), max_size=2),
        if_match=st.sampled_from([None, None, None, "head", "head", "stale", "none at all"]),
        fate=fates,
    )
    def push(
        self, vault: int, by: int, fresh: int, again: list[tuple[int, str]], if_match: str | None, fate: str
    ) -> None:
        """Push new changesets, some that were pushed before, or others under their ids, alone or as a batch."""
        sender = self.caller(vault, by)
        batch = [self._new_changeset(sender) for _ in range(fresh)]
        batch += [changeset for place, kind in again if (changeset := self._old_changeset(vault, sender, place, kind))]
        batch = batch[: self.model.bounds.max_batch] or [self._new_changeset(sender)]
        chain = self._chain(vault, if_match)
        body = batch[0] if len(batch) == 1 else {"changesets": batch}
        headers = {} if chain is None else {"If-Match": f'"{chain}"'}
        self.request(
            fate,
            "append",
            lambda: self.world.call(sender, "POST", self.path(vault, "/changesets"), body, headers=headers),
            lambda: self.model.push(self.vault_id(vault), sender.id, batch, chain),
        )

    def _new_changeset(self, by: Device) -> Json:
        self.pushed += 1
        return by.changeset(self.pushed)

    def _old_changeset(self, vault: int, sender: Device, place: int, kind: str) -> Json | None:
        """Return one that is in the log, pruned or not."""
        known = self.model.vaults.get(self.vault_id(vault))
        found = [entry.changeset for entry in known.log] if known else []
        if kind != "another's":
            found = [one for one in found if one["origin_device"] == sender.id]
        if not found:
            return None
        changeset = found[-1 - place % len(found)]
        return changeset | {"ciphertext": "edited"} if kind == "edited" else changeset

    def _chain(self, vault: int, which: str | None) -> str | None:
        known = self.model.vaults.get(self.vault_id(vault))
        if which is None:
            return None
        if known is None or which == "none at all":
            return base64url(bytes(32))
        seq = len(known.log) if which == "head" else max(0, len(known.log) - 1)
        return str(known.place(seq)["chain"])

    @operation(6, vault=vaults, by=callers, back=st.integers(-1, 15), limit=st.integers(1, 7))
    def pull(self, vault: int, by: int, back: int, limit: int) -> None:
        """Pull from so many changesets before the head, or from past it."""
        sender = self.caller(vault, by)
        known = self.model.vaults.get(self.vault_id(vault))
        since = max(0, (len(known.log) if known else 0) - back)
        self.next_moment()
        query = [("since", str(since)), ("limit", str(limit))]
        answer = self.world.call(sender, "GET", self.path(vault, "/changesets"), query=query)
        self.count(answer)
        expected = self.model.pull(self.vault_id(vault), sender.id, since, limit)
        invariants.check_page(answer, expected, since, self.model.bounds.max_page_bytes)

    @operation(
        7,
        vault=vaults,
        by=callers,
        blob=blobs,
        covers=st.integers(0, 9),
        change=st.sampled_from(["", "", "", "", "size", "chain", "past the head"]),
        fate=fates,
    )
    def announce(self, vault: int, by: int, blob: int, covers: int, change: str, fate: str) -> None:
        """Announce a snapshot that covers all but the last `covers` changesets."""
        sender = self.caller(vault, by)
        known = self.model.vaults.get(self.vault_id(vault))
        content = self._blob(blob)
        place = {"seq": 0, "chain": base64url(bytes(32))}
        if known is not None and change == "past the head":
            place["seq"] = len(known.log) + 1
        elif known is not None and change != "chain":
            place = known.place(max(0, len(known.log) - covers))
        size = len(content) + (change == "size")
        body = {"sha256": base64url(sha256(content).digest()), "size": size, "covers": place}
        body |= {"key_id": "k1", "schema_version": 3}
        self.request(
            fate,
            "announce",
            lambda: self.world.call(sender, "POST", self.path(vault, "/snapshots"), body),
            lambda: self.model.announce(self.vault_id(vault), sender.id, body, content),
        )

    def _blob(self, number: int) -> bytes:
        return f"state {number} ".encode() * (number + 1)

    @operation(7, upload=st.integers(0, 5), right=st.sampled_from([True, True, True, False]))
    def upload(self, upload: int, *, right: bool) -> None:
        """Send the bytes of an announced blob, or others, while its URL is good or after that."""
        if not self.uploads:
            return
        self.next_moment()
        announcement, told = self.uploads[-1 - upload % len(self.uploads)]
        content = announcement.blob if right else announcement.blob[:-1] + b"?"
        bounds = self.model.bounds
        taken = self.stores.upload(told, content, self.model.now_ms)
        is_announced = right and len(content) == announcement.body["size"]
        assert taken == (is_announced and self.model.now_ms < invariants.rfc3339_ms(told["expires_at"]))
        assert invariants.rfc3339_ms(told["expires_at"]) <= announcement.expires_at_ms, bounds
        announcement.uploaded = announcement.uploaded or taken

    @operation(7, vault=vaults, by=callers, place=st.integers(0, 9), fate=fates)
    def complete(self, vault: int, by: int, place: int, fate: str) -> None:
        """Complete one that was announced, if any was: one that is still pending, if any is."""
        sender = self.caller(vault, by)
        known = self.model.vaults.get(self.vault_id(vault))
        snapshots = known.snapshots if known else []
        pending = [one for one in snapshots if not one.available]
        announced = [one.body["sha256"] for one in (pending or snapshots)]
        digest = announced[-1 - place % len(announced)] if announced else base64url(bytes(32))
        self.request(
            fate,
            "complete",
            lambda: self.world.call(sender, "POST", self.path(vault, f"/snapshots/{digest}/complete")),
            lambda: self.model.complete(self.vault_id(vault), sender.id, digest),
        )

    @operation(8, vault=vaults, by=callers, covers=st.sampled_from([0, 1, 5, 20]))
    def take_snapshot(self, vault: int, by: int, covers: int) -> None:
        """Announce, upload and complete one: else few come to be."""
        blob = self.pushed % BLOBS
        self.announce(vault, by, blob, covers, "", "answered")
        self.upload(0, right=True)
        self.complete(vault, by, 0, "answered")

    @operation(4, vault=vaults, by=callers, blob=blobs)
    def announce_too_early(self, vault: int, by: int, blob: int) -> None:
        """Announce a snapshot, let its time run out, and announce it again."""
        self.announce(vault, by, blob, 0, "", "answered")
        self.world.clock.advance(2 * HOUR)
        self.announce(vault, by, blob, 1, "", "answered")

    @operation(6, vault=vaults, by=callers, days=st.integers(1, 3))
    def live_for_days(self, vault: int, by: int, days: int) -> None:
        """What most days are like: without them few logs would grow, and less be pruned."""
        self.found_anew(vault)
        for _ in range(days):
            for number in range(3):
                self.push(vault, by + number, 1 + number, [], None, "answered")
            self.take_snapshot(vault, by, 1)
            self.maintain(25)

    @operation(5, vault=vaults, by=callers, blob=st.none() | blobs, other=devices)
    def look(self, vault: int, by: int, blob: int | None, other: int) -> None:
        """See a snapshot with its blob, and a device."""
        sender = self.caller(vault, by)
        self.next_moment()
        digest = None if blob is None else base64url(sha256(self._blob(blob)).digest())
        answer = self.world.call(sender, "GET", self.path(vault, f"/snapshots/{digest or 'latest'}"))
        self.judge(answer, self.model.snapshot(self.vault_id(vault), sender.id, digest))
        answer = self.world.call(sender, "GET", f"/devices/{self.devices[other].id}")
        self.judge(answer, self.model.device(sender.id, self.devices[other].id))

    @operation(
        3, vault=vaults, by=callers, if_match=st.sampled_from([None, "stale", "none at all", "head"]), fate=fates
    )
    def erase(self, vault: int, by: int, if_match: str | None, fate: str) -> None:
        sender = self.caller(vault, by)
        chain = self._chain(vault, if_match)
        headers = {} if chain is None else {"If-Match": f'"{chain}"'}
        self.request(
            fate,
            "erase",
            lambda: self.world.call(sender, "DELETE", self.path(vault), headers=headers),
            lambda: self.model.erase(self.vault_id(vault), sender.id, chain),
        )

    # -------- what happens to the relay

    @operation(6, hours=st.sampled_from([0, 0, 1, 25, 50]))
    def maintain(self, hours: int) -> None:
        """Run retention, some time after the last step."""
        self.world.clock.advance(hours * HOUR)
        self.next_moment()
        assert self.world.maintain().finished
        self.model.maintain()
        self.happened_to_all()
        invariants.check_blobs(list(self.stores.blobs.keys()), self.model)

    @operation(4)
    def restart(self) -> None:
        self.stores.reopen()
        self.world.replace(log=self.stores.log, limiter=self.stores.limiter, blobs=self.stores.blobs)
        self.happened_to_all()

    @operation(2)
    def renew_epochs(self) -> None:
        """The operator restored a backup."""
        assert self.world.relay.log.renew_epochs(self.world.relay.ids.uuid) == len(self.model.vaults)
        for vault_id, vault in self.model.vaults.items():
            epoch = self.world.relay.log.roster(vault_id)
            assert epoch is not None
            self.seen.new_epoch(epoch.epoch)
            vault.epoch = epoch.epoch
        self.happened_to_all()

    @operation(7, seconds=jumps, back=st.booleans())
    def set_clock(self, seconds: int, *, back: bool) -> None:
        self.world.clock.advance(-seconds if back else seconds)
        self.happened_to_all()

    # -------- what holds after each of them

    @invariant()
    def all_holds(self) -> None:
        """Of the vaults that the step was about; every few steps, of all."""
        type(self).steps += 1
        self.next_moment()
        is_turn_of_all = self.steps % ALL_EVERY == 0
        touched = {*self.model.vaults, *self.model.erased} if is_turn_of_all else self.touched
        self.seen.check(self.world, self.model, self.devices, touched)
        self.touched.clear()
