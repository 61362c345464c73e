"""Snapshots that are not what they say, for a newcomer who is told that history was pruned."""

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any

from relay_protocol.chain import Head, genesis
from relay_protocol.encoding import base64url
from sync_relay_client import DeviceKey, SnapshotContext, VaultKey, VaultSession, errors, measure
from sync_relay_client.snapshot_blob import Manifest, seal_snapshot
from tests.client.app import sync, write
from tests.lying_relay.registry import Trap, caught, harmless, told
from tests.lying_relay.relay import BLOB, LATEST, SNAPSHOT, SNAPSHOTS, Answer, Lying, altering_json, either, instead
from tests.lying_relay.scene import RECEIVED_AT, Scene

Sealed = tuple[SnapshotContext, bytes]
LATER = "2036-04-26T09:30:00.000Z"


def sealed(session: VaultSession, key: VaultKey | None = None, author: DeviceKey | None = None) -> Sealed:
    """Seal a snapshot at the insider's head, by whom and under what key one likes."""
    content = b"31\n"
    key, author = key or session.keys[-1], author or session.device
    context = SnapshotContext(session.vault_id, session.head, 1, key.key_id)
    public_keys = {*session.membership.public_keys(), author.public_key}  # a stranger says that it belongs
    manifest = Manifest(author.device_id, measure([content]), session.membership.rekey_seq, tuple(public_keys))
    return context, b"".join(seal_snapshot(context, key, author, manifest, [content]))


def announced(scene: Scene, context: SnapshotContext, blob: bytes) -> dict[str, Any]:
    """Return what the relay says of a snapshot."""
    return {
        "sha256": base64url(sha256(blob).digest()),
        "size": len(blob),
        "key_id": context.key_id,
        "schema_version": context.schema_version,
        "covers": {"seq": context.covers.seq, "chain": base64url(context.covers.chain)},
        "origin_device": scene.session.device.device_id,
        "status": "available",
        "created_at": RECEIVED_AT,
    }


def serving(scene: Scene, context: SnapshotContext, blob: bytes, **members: Any) -> Lying:
    """Say that history was pruned, and answer to all that is asked about snapshots in the relay's place."""
    snapshot = announced(scene, context, blob) | members
    download = {"url": scene.liar.url + "/blobs/its", "expires_at": LATER}
    one, all_of_them = Answer(), Answer()
    one.json = {"epoch": scene.session.epoch, "snapshot": snapshot | {"download": download}}
    all_of_them.json = {"epoch": scene.session.epoch, "snapshots": [snapshot]}
    return either(
        scene.forgetting(context.covers),
        instead(SNAPSHOTS, lambda _: all_of_them),
        instead(SNAPSHOT, lambda _: one),
        instead(BLOB, lambda _: Answer(200, blob)),
    )


def offered(scene: Scene, make: Callable[[VaultSession], Sealed]) -> Trap:
    newcomer = scene.newcomer()
    scene.liar.lying = serving(scene, *make(scene.session))
    return newcomer.pull


def flawed(name: str, what: str, change: Callable[[bytes], bytes]) -> None:
    def make(session: VaultSession) -> Sealed:
        context, blob = sealed(session)
        return context, change(blob)

    caught(errors.SnapshotInvalid)(told(name, what, lambda scene: offered(scene, make)))


flawed("a_snapshot_that_was_altered", "edits a snapshot", lambda blob: blob[:-1] + bytes([blob[-1] ^ 1]))
flawed("a_snapshot_that_was_cut_short", "cuts a snapshot short", lambda blob: blob[:-1])
flawed("a_snapshot_that_goes_on", "lets a snapshot go on", lambda blob: blob + b"more")
flawed("a_snapshot_of_nothing", "serves a byte for a snapshot", lambda _: b"x")
flawed(
    "a_frame_without_end", "announces a frame of 2⁶³ bytes", lambda blob: blob[:24] + b"\xff" * 7 + b"\x7f" + blob[32:]
)


@caught(errors.SnapshotInvalid)
def a_snapshot_of_another_schema_than_its_author_s(scene: Scene) -> Trap:
    """gives a snapshot another schema version"""
    newcomer, session = scene.newcomer(), scene.session
    context, blob = sealed(session)
    scene.liar.lying = serving(scene, replace(context, schema_version=2), blob)
    return newcomer.pull


@caught(errors.SnapshotInvalid)
def a_snapshot_signed_by_another_than_its_author(scene: Scene) -> Trap:
    """serves a snapshot that somebody else signed in a member's name"""

    def make(session: VaultSession) -> Sealed:
        context = SnapshotContext(session.vault_id, session.head, 1, session.keys[-1].key_id)
        public_keys = tuple(session.membership.public_keys())
        manifest = Manifest(session.device.device_id, measure([b"x"]), 0, public_keys)
        pieces = seal_snapshot(context, session.keys[-1], DeviceKey.generate(), manifest, [b"x"])
        return context, b"".join(pieces)

    return offered(scene, make)


@caught(errors.SnapshotAuthorUnknown)
def a_snapshot_by_a_device_that_the_relay_let_in(scene: Scene) -> Trap:
    """serves a snapshot by a device of its own"""
    stranger = scene.stranger()
    return offered(scene, lambda session: sealed(session, author=stranger))


@caught(errors.KeyUnknown)
def a_snapshot_under_another_key(scene: Scene) -> Trap:
    """serves a snapshot under a key that nobody was given"""
    return offered(scene, lambda session: sealed(session, key=VaultKey.generate()))


@caught(errors.RolledBack)
def a_snapshot_of_another_log_than_the_invitation_s(scene: Scene) -> Trap:
    """serves a newcomer a snapshot of another log, by a member that colludes"""

    def make(session: VaultSession) -> Sealed:
        context = SnapshotContext(session.vault_id, Head(session.head.seq, bytes(32)), 1, session.keys[-1].key_id)
        manifest = Manifest(session.device.device_id, measure([b"x"]), 0, tuple(session.membership.public_keys()))
        return context, b"".join(seal_snapshot(context, session.keys[-1], session.device, manifest, [b"x"]))

    return offered(scene, make)


@caught(errors.SnapshotInvalid)
def an_older_snapshot_in_a_newer_one_s_place(scene: Scene) -> Trap:
    """swaps snapshots: an older one's blob is served as the newer one"""
    older_context, older = sealed(scene.session)
    scene.insider_writes(b"secret 2")
    newcomer = scene.newcomer()
    scene.liar.lying = serving(scene, replace(older_context, covers=scene.session.head), older)
    return newcomer.pull


@caught(errors.SnapshotInvalid)
def a_snapshot_of_another_vault(scene: Scene) -> Trap:
    """swaps snapshots: one of another vault that has the same key and members"""

    def make(session: VaultSession) -> Sealed:
        other = "00000000-0000-4000-8000-000000000000"
        context = SnapshotContext(other, session.head, 1, session.keys[-1].key_id)
        manifest = Manifest(session.device.device_id, measure([b"x"]), 0, tuple(session.membership.public_keys()))
        return context, b"".join(seal_snapshot(context, session.keys[-1], session.device, manifest, [b"x"]))

    return offered(scene, make)


@harmless("an older one is genuine, too, and the log goes on from it")
def an_older_snapshot(scene: Scene) -> Trap:
    """serves an older snapshot as the latest one, and says that what it covers was pruned"""
    sync(scene.insider)
    scene.insider.snapshot(write)
    older, end = scene.insider.head, scene.forgetting(scene.insider.head)
    with scene.client() as client:
        found = client.vault(scene.vault_id).latest_snapshot().model_dump(mode="json", exclude_none=True)
    scene.insider_writes(b"secret 2")
    scene.insider.snapshot(write)
    newcomer = scene.newcomer()
    latest = Answer()
    latest.json = found
    scene.liar.lying = either(end, instead(LATEST, lambda _: latest))

    def trap() -> None:
        assert newcomer.pull().restored
        assert newcomer.head.seq > older.seq

    return trap


@caught(errors.RelayRefused, "`history_pruned`: a snapshot that is not ahead is not taken")
def a_snapshot_that_covers_nothing_new(scene: Scene) -> Trap:
    """says that history was pruned, and offers a snapshot of what the device has verified"""
    scene.insider_writes(b"secret 2")
    context = SnapshotContext(scene.vault_id, genesis(scene.vault_id), 1, scene.session.keys[-1].key_id)
    scene.liar.lying = serving(scene, replace(context, covers=scene.victim.head), b"x")
    lying, gone = scene.liar.lying, scene.forgetting(scene.insider.head)
    scene.liar.lying = either(gone, lying)
    return scene.victim.pull


@harmless("it is genuine: what it holds is what the log says, and the device goes on from there")
def a_snapshot_forced_on_a_device_that_needs_none(scene: Scene) -> Trap:
    """says that history was pruned which is there, so that a device restores a snapshot"""
    scene.insider_writes(b"secret 2")
    scene.liar.lying = scene.pruned()

    def trap() -> None:
        assert scene.victim.pull().restored

    return trap


@caught(errors.AnswerInvalid)
def a_snapshot_of_no_key(scene: Scene) -> Trap:
    """leaves a member out of a snapshot"""
    newcomer = scene.newcomer()
    scene.liar.lying = either(
        altering_json(LATEST, lambda one: one["snapshot"].pop("key_id")), serving(scene, *sealed(scene.session))
    )
    return newcomer.pull


@caught(errors.AnswerInvalid)
def another_snapshot_than_the_one_asked_for(scene: Scene) -> Trap:
    """answers with another snapshot than the one that was asked for"""
    newcomer = scene.newcomer()
    other = altering_json(("GET", "/snapshots/[^l][^/]+$"), lambda one: one["snapshot"].update(sha256="A" * 43))
    scene.liar.lying = either(other, serving(scene, *sealed(scene.session)))
    return newcomer.pull


@caught(errors.AnswerInvalid)
def a_snapshot_that_can_not_be_had(scene: Scene) -> Trap:
    """offers a snapshot without saying where it is"""
    newcomer = scene.newcomer()
    scene.liar.lying = either(
        altering_json(SNAPSHOT, lambda one: one["snapshot"].pop("download", None)),
        serving(scene, *sealed(scene.session)),
    )
    return newcomer.pull


@caught(errors.AnswerInvalid, "the relay's own limit is lower")
def a_snapshot_larger_than_any(scene: Scene) -> Trap:
    """offers a snapshot of 2⁵⁰ bytes, to fill the device's disk"""
    newcomer = scene.newcomer()
    scene.liar.lying = serving(scene, *sealed(scene.session), size=2**50)
    return newcomer.pull


@caught(errors.ProfileUnavailable, "a snapshot is fetched only where there is room for it twice")
def a_snapshot_larger_than_the_disk(scene: Scene) -> Trap:
    """offers a snapshot of 2⁵⁰ bytes, and raises its own limit"""
    newcomer = scene.newcomer()
    scene.liar.lying = either(
        altering_json(("GET", "^/config$"), lambda one: one["limits"].update(max_snapshot_bytes=2**53 - 1)),
        serving(scene, *sealed(scene.session), size=2**50),
    )
    return newcomer.pull


@caught(errors.KeyUnknown, "letters that are none are passed over, sixteen at most")
def letters_without_end(scene: Scene) -> Trap:
    """lists a thousand false letters, for a device that could be helped by one"""
    newcomer, session = scene.newcomer(), scene.session
    context, blob = sealed(session, key=VaultKey.generate())
    first = SnapshotContext(session.vault_id, genesis(session.vault_id), 0, session.keys[0].key_id)
    letter = announced(scene, first, b"no letter")
    listed, one = Answer(), Answer()
    listed.json = {"epoch": session.epoch, "snapshots": [letter] * 1000}
    download = {"url": scene.liar.url + "/blobs/letter", "expires_at": LATER}
    one.json = {"epoch": session.epoch, "snapshot": letter | {"download": download}}
    scene.liar.lying = either(
        instead(SNAPSHOTS, lambda _: listed),
        instead(("GET", f"/snapshots/{letter['sha256']}$"), lambda _: one),
        instead(("GET", "/blobs/letter$"), lambda _: Answer(200, b"no letter")),
        serving(scene, context, blob),
    )

    def trap() -> None:
        try:
            newcomer.pull()
        finally:
            assert len(scene.liar.heard) < 100

    return trap
