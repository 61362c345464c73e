"""Each way to cheat a device, under the error that must name it.

A tamper lays the trap, with the insider's keys where it takes a member that colludes, and returns what the victim
does to step into it.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx

from relay_protocol.chain import Head, extend, genesis
from relay_protocol.devices import endorse
from relay_protocol.encoding import base64url
from relay_protocol.requests import Endorsement
from sync_relay_client import (
    DeviceKey,
    Envelope,
    RelayClient,
    Retry,
    Vault,
    VaultKey,
    VaultSession,
    errors,
)
from tests.client.app import change_of, pair, record, sync, write
from tests.client.conftest import Forger
from tests.client.relay_in_process import InProcessTransport
from tests.e2e.tampering import CheatingRelay, Exchange, Unasked


def plain_http() -> httpx.HTTPTransport:
    """Return a transport without TLS: to load the authorities takes longer than what is tested."""
    return httpx.HTTPTransport(verify=False)


class Scene:
    """A victim and an insider, paired through a relay that is honest so far."""

    def __init__(self, cheat: CheatingRelay, home: Path) -> None:
        self.cheat = cheat
        self.home = home
        self.options = cheat.relay.options(
            transport=plain_http(), retry=Retry(max_attempts=2, first_pause_seconds=0), sleep=lambda _: None
        )
        self.victim = Vault.open(home / "victim", options=self.options)
        self.insider = Vault.open(home / "insider", options=self.options)

    @classmethod
    def prepare(cls, cheat: CheatingRelay, home: Path) -> None:
        """Make the two devices, in folders of these names."""
        options = cheat.relay.options(transport=plain_http())
        with (
            Vault.create(home / "victim", cheat.url, recovery=False, options=options) as victim,
            pair(victim, home / "insider", options) as insider,
        ):
            record(victim, [b"1"])
            for vault in (victim, insider):
                sync(vault)

    def close(self) -> None:
        self.victim.close()
        self.insider.close()

    @property
    def session(self) -> VaultSession:
        """What the insider holds."""
        return session_of(self.insider)

    @property
    def forge(self) -> Forger:
        return Forger(self.session.vault_id, self.session.keys[-1])

    @property
    def soon(self) -> int:
        return self.cheat.relay.clock.seconds + 600

    def push(self, *envelopes: Envelope, by: DeviceKey | None = None) -> None:
        """Put sealed changes into the real log, past all that the SDK checks."""
        with self.client(by) as client:
            client.vault(self.session.vault_id).push(list(envelopes))

    def client(self, by: DeviceKey | None = None) -> RelayClient:
        """Return a client that the relay does not cheat."""
        relay = self.cheat.relay
        clock = self.options.clock
        return RelayClient(relay.url, by or self.session.device, transport=InProcessTransport(relay), clock=clock)

    def stranger(self) -> DeviceKey:
        """Let a device be a member at the relay, by the insider's endorsement, that the log does not admit."""
        key, vault_id = DeviceKey.generate(), self.session.vault_id
        endorsement = endorse(self.session.device.signing_key, vault_id, key.device_id, self.soon)
        with self.client(key) as client:
            client.register(vault_id, Endorsement.model_validate(endorsement))
        return key

    def newcomer(self) -> Vault:
        """Return a device that was invited, and has pulled nothing; it is the victim now."""
        code = self.insider.invite(Vault.request(self.home / "late", options=self.options))
        self.victim.close()
        self.victim = Vault.join(self.home / "late", code, options=self.options)
        return self.victim

    def prune(self) -> None:
        sync(self.insider)
        self.insider.snapshot(write)
        self.cheat.relay.prune()


def session_of(vault: Vault) -> VaultSession:
    with vault._profile.view() as view:
        return view.session()


Trap = Callable[[], object]
TAMPERS: list[tuple[str, type[errors.SyncRelayError], Callable[[Scene], Trap]]] = []


def named(error: type[errors.SyncRelayError]) -> Callable[[Callable[[Scene], Trap]], Callable[[Scene], Trap]]:
    def note(tamper: Callable[[Scene], Trap]) -> Callable[[Scene], Trap]:
        TAMPERS.append((tamper.__name__, error, tamper))
        return tamper

    return note


def of_pages(alter: Callable[[list[dict[str, Any]], dict[str, Any]], object]) -> Callable[[Exchange], None]:
    """Alter the changesets of every page, and the page."""

    def tamper(exchange: Exchange) -> None:
        if exchange.asks("GET", "/changesets$"):
            page = exchange.json
            alter(page["changesets"], page)
            exchange.json = page

    return tamper


def relink(page: dict[str, Any], after: Head, vault_id: str) -> None:
    """Give the changesets of a page the seqs and chains that a relay would, who had only these."""
    for one in page["changesets"]:
        members = {name: one[name] for name in Envelope.__dataclass_fields__}
        after = extend(after, Envelope(**members).digest(vault_id))
        one["seq"], one["chain"] = after.seq, base64url(after.chain)
    page["cursor"] = after.seq
    page["head"] = {"seq": after.seq, "chain": base64url(after.chain)}


def insider_writes(scene: Scene, *payloads: bytes) -> None:
    record(scene.insider, list(payloads))
    sync(scene.insider)


# ---------------------------------------------------------------- the log


@named(errors.SequenceGap)
def a_changeset_is_held_back(scene: Scene) -> Trap:
    insider_writes(scene, b"2", b"3", b"4")
    scene.cheat.tamper = of_pages(lambda changesets, _: changesets.pop(1))
    return scene.victim.pull


@named(errors.SequenceGap)
def two_changesets_come_in_another_order(scene: Scene) -> Trap:
    insider_writes(scene, b"2", b"3", b"4")
    scene.cheat.tamper = of_pages(lambda changesets, _: changesets.insert(0, changesets.pop(1)))
    return scene.victim.pull


@named(errors.SequenceGap)
def the_log_is_shown_from_the_start_again(scene: Scene) -> Trap:
    insider_writes(scene, b"2")

    def tamper(exchange: Exchange) -> None:
        if exchange.asks("GET", "/changesets$"):
            with scene.client() as client:
                page = client.vault(scene.session.vault_id).pull(0)
            value = exchange.json
            value["changesets"] = [
                {"seq": one.seq, "received_at": one.received_at, "chain": base64url(one.chain)} | one.envelope.members()
                for one in page.changesets
            ]
            exchange.json = value

    scene.cheat.tamper = tamper
    return scene.victim.pull


@named(errors.ChainBroken)
def a_changeset_is_altered(scene: Scene) -> Trap:
    insider_writes(scene, b"2", b"3")

    def alter(changesets: list[dict[str, Any]], _: object) -> None:
        text = changesets[1]["ciphertext"]
        changesets[1]["ciphertext"] = ("B" if text[0] == "A" else "A") + text[1:]

    scene.cheat.tamper = of_pages(alter)
    return scene.victim.pull


@named(errors.ChainBroken)
def a_changeset_is_dropped_and_the_seqs_closed_up(scene: Scene) -> Trap:
    insider_writes(scene, b"2", b"3", b"4")

    def alter(changesets: list[dict[str, Any]], page: dict[str, Any]) -> None:
        del changesets[1]
        changesets[1]["seq"] -= 1
        page["cursor"] = page["head"]["seq"] = changesets[1]["seq"]

    scene.cheat.tamper = of_pages(alter)
    return scene.victim.pull


@named(errors.ChainBroken)
def the_head_is_another_one_at_the_same_seq(scene: Scene) -> Trap:
    """A log that was rolled back and grew to the same length again."""
    scene.cheat.tamper = of_pages(lambda _, page: page["head"].update(chain=base64url(bytes(32))))
    return scene.victim.pull


@named(errors.RolledBack)
def the_log_ends_before_what_was_verified(scene: Scene) -> Trap:
    def tamper(exchange: Exchange) -> None:
        if exchange.asks("GET", "/changesets$"):
            exchange.refuse(409, code="cursor_ahead", head={"seq": 0, "chain": base64url(bytes(32))})

    scene.cheat.tamper = tamper
    return scene.victim.pull


@named(errors.RolledBack)
def the_log_ends_before_the_invitation_s_head(scene: Scene) -> Trap:
    newcomer = scene.newcomer()

    def alter(changesets: list[dict[str, Any]], page: dict[str, Any]) -> None:
        del changesets[-1]
        relink(page, genesis(scene.session.vault_id), scene.session.vault_id)

    scene.cheat.tamper = of_pages(alter)
    return newcomer.pull


@named(errors.RolledBack)
def the_log_is_another_one_than_the_invitation_s(scene: Scene) -> Trap:
    """The relay puts what two members pushed at once into another order for the newcomer."""
    victims = session_of(scene.victim)
    scene.push(victims.seal(change_of(b"2"), 1), by=victims.device)
    scene.push(scene.session.seal(change_of(b"2"), 1))
    newcomer = scene.newcomer()

    def alter(changesets: list[dict[str, Any]], page: dict[str, Any]) -> None:
        changesets[-3:-1] = reversed(changesets[-3:-1])
        relink(page, genesis(scene.session.vault_id), scene.session.vault_id)

    scene.cheat.tamper = of_pages(alter)
    return newcomer.pull


@named(errors.ReceiptBroken)
def what_was_acknowledged_is_not_there(scene: Scene) -> Trap:
    def swallow(method: str, path: str, body: bytes) -> None:
        if method == "POST" and path.endswith("/changesets"):
            head = {"seq": scene.insider.head.seq + 1, "chain": base64url(bytes(32))}
            receipt = {"id": json.loads(body)["id"], "received_at": "2026-04-26T09:30:00.000Z", "status": "created"}
            raise Unasked(201, {"epoch": scene.session.epoch, "head": head, "receipts": [receipt | head]})

    scene.cheat.intercept = swallow
    scene.victim.push(change_of(b"swallowed"))
    scene.cheat.be_honest()
    insider_writes(scene, b"in its place")
    return scene.victim.pull


@named(errors.ForkDetected)
def two_devices_are_shown_two_histories(scene: Scene) -> Trap:
    """The victim is not shown the insider's change, but its own in that place; the insider's next one tells."""
    start = scene.victim.head
    insider_writes(scene, b"hidden from the victim")
    witness = scene.insider.head
    scene.victim.push(change_of(b"the victim's"))
    scene.push(scene.forge(scene.session.device, witness, change_of(b"tells")))

    def alter(changesets: list[dict[str, Any]], page: dict[str, Any]) -> None:
        del changesets[0]
        relink(page, start, scene.session.vault_id)

    scene.cheat.tamper = of_pages(alter)
    return scene.victim.pull


@named(errors.IdRepeated)
def a_change_is_played_again(scene: Scene) -> Trap:
    insider_writes(scene, b"pay 100")
    scene.victim.pull()
    played, start, vault_id = last_changeset(scene), scene.victim.head, scene.session.vault_id

    def alter(changesets: list[dict[str, Any]], page: dict[str, Any]) -> None:
        changesets.append(dict(played))
        relink(page, start, vault_id)

    scene.cheat.tamper = of_pages(alter)
    return scene.victim.pull


def last_changeset(scene: Scene) -> dict[str, Any]:
    """Return the log's last changeset as a page has it."""
    with scene.client() as client:
        last = client.vault(scene.session.vault_id).pull(scene.victim.head.seq - 1).changesets[0]
    return {"received_at": last.received_at} | last.envelope.members()


# ---------------------------------------------------------------- changesets of members that collude


@named(errors.EnvelopeInvalid)
def an_envelope_that_can_not_be_opened(scene: Scene) -> Trap:
    scene.push(replace(scene.session.seal(change_of(b"2"), 1), ciphertext=base64url(bytes(300))))
    return scene.victim.pull


@named(errors.KeyUnknown)
def a_change_under_another_key(scene: Scene) -> Trap:
    forge = Forger(scene.session.vault_id, VaultKey.generate())
    scene.push(forge(scene.session.device, scene.session.head))
    return scene.victim.pull


@named(errors.AuthorInvalid)
def a_change_in_another_member_s_name(scene: Scene) -> Trap:
    """Signed by a key that is not the author's; the relay lets the author's request through."""
    scene.push(scene.forge(scene.session.device, scene.session.head, signer=DeviceKey.generate()))
    return scene.victim.pull


@named(errors.AuthorKeyUnknown)
def the_key_of_a_founder_who_left_is_withheld(scene: Scene) -> Trap:
    """A newcomer reads what the founder wrote once; its key is in no invitation any more."""
    founder = scene.session.founder
    scene.insider.revoke(founder)
    newcomer = scene.newcomer()

    def tamper(exchange: Exchange) -> None:
        if exchange.asks("GET", "/devices$"):
            roster = exchange.json
            roster["devices"] = [one for one in roster["devices"] if one["device_id"] != founder]
            exchange.json = roster

    scene.cheat.tamper = tamper
    return newcomer.pull


@named(errors.NameMismatch)
def names_that_are_not_the_signed_ones(scene: Scene) -> Trap:
    scene.push(scene.forge(scene.session.device, scene.session.head, outside={"entity": "AAAAAAAAAAAAAAAAAAAAAA"}))
    return scene.victim.pull


@named(errors.MembershipInvalid)
def a_device_that_the_relay_let_in(scene: Scene) -> Trap:
    stranger = scene.stranger()
    scene.push(scene.forge(stranger, scene.session.head), by=stranger)
    return scene.victim.pull


@named(errors.RotatedOut)
def a_device_that_was_rotated_out_writes_on(scene: Scene) -> Trap:
    with pair(scene.insider, scene.home / "third", scene.options) as third:
        third_session = session_of(third)
    staying = scene.session.membership.belonging - {third_session.device.device_id}
    scene.push(scene.session.rekey(staying))
    scene.push(third_session.seal(change_of(b"after"), 1), by=third_session.device)
    return scene.victim.pull


@named(errors.WitnessInvalid)
def a_change_that_has_seen_the_future(scene: Scene) -> Trap:
    scene.push(scene.forge(scene.session.device, Head(1000, bytes(32))))
    return scene.victim.pull
