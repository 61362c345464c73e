"""Snapshots that are not what they say: the relay takes them from members that it colludes with."""

from collections.abc import Callable
from hashlib import sha256
from typing import Any

from relay_protocol.chain import Head
from relay_protocol.encoding import base64url
from sync_relay_client import DeviceKey, SnapshotContext, VaultKey, VaultSession, errors, measure
from sync_relay_client.snapshot_blob import Manifest, seal_snapshot
from tests.e2e.tampering import Unasked
from tests.e2e.tampers import Scene, Trap, named
from tests.e2e.tampers_of_answers import of_answers

Sealed = tuple[SnapshotContext, bytes]


def sealed(session: VaultSession, key: VaultKey | None = None, author: DeviceKey | None = None) -> Sealed:
    """Seal a snapshot at the insider's head, by whom and under what key one likes."""
    content = b"31\n"
    key, author = key or session.keys[-1], author or session.device
    context = SnapshotContext(session.vault_id, session.head, 1, key.key_id)
    public_keys = {*session.membership.public_keys(), author.public_key}  # a stranger says that it belongs
    manifest = Manifest(author.device_id, measure([content]), session.membership.rekey_seq, tuple(public_keys))
    return context, b"".join(seal_snapshot(context, key, author, manifest, [content]))


def offered(scene: Scene, make: Callable[[VaultSession], Sealed], by: DeviceKey | None = None) -> Trap:
    """Let a newcomer whose history is pruned find this snapshot as the latest one."""
    newcomer = scene.newcomer()
    scene.prune()
    context, blob = make(scene.session)
    with scene.client(by) as client:
        vault = client.vault(scene.session.vault_id)
        announced = vault.announce(context, measure([blob]))
        assert announced.upload is not None
        client.upload(announced.upload, [blob], len(blob))
        vault.complete(announced.snapshot.sha256)
    return newcomer.pull


def flawed(name: str, change: Callable[[bytes], bytes]) -> None:
    def make(session: VaultSession) -> Sealed:
        context, blob = sealed(session)
        return context, change(blob)

    def tampered(scene: Scene) -> Trap:
        return offered(scene, make)

    tampered.__name__ = name
    named(errors.SnapshotInvalid)(tampered)


flawed("a_snapshot_that_was_altered", lambda blob: blob[:-1] + bytes([blob[-1] ^ 1]))
flawed("a_snapshot_that_was_cut_short", lambda blob: blob[:-1])
flawed("a_snapshot_that_goes_on", lambda blob: blob + b"more")
flawed("a_snapshot_of_nothing", lambda _: b"x")


@named(errors.SnapshotInvalid)
def a_snapshot_of_another_schema_than_its_author_s(scene: Scene) -> Trap:
    trap = offered(scene, sealed)

    def alter(answer: Any) -> None:
        answer["snapshot"]["schema_version"] += 1

    scene.cheat.tamper = of_answers("GET", "/snapshots/", alter)
    return trap


@named(errors.SnapshotInvalid)
def a_snapshot_signed_by_another_than_its_author(scene: Scene) -> Trap:
    def make(session: VaultSession) -> Sealed:
        context = SnapshotContext(session.vault_id, session.head, 1, session.keys[-1].key_id)
        public_keys = tuple(session.membership.public_keys())
        manifest = Manifest(session.device.device_id, measure([b"x"]), 0, public_keys)
        pieces = seal_snapshot(context, session.keys[-1], DeviceKey.generate(), manifest, [b"x"])
        return context, b"".join(pieces)

    return offered(scene, make)


@named(errors.SnapshotAuthorUnknown)
def a_snapshot_by_a_device_that_the_relay_let_in(scene: Scene) -> Trap:
    stranger = scene.stranger()
    return offered(scene, lambda session: sealed(session, author=stranger), by=stranger)


@named(errors.KeyUnknown)
def a_snapshot_under_another_key(scene: Scene) -> Trap:
    return offered(scene, lambda session: sealed(session, key=VaultKey.generate()))


@named(errors.RolledBack)
def a_snapshot_of_another_log_than_the_invitation_s(scene: Scene) -> Trap:
    """The relay takes any covers from a member that it colludes with."""
    newcomer = scene.newcomer()
    scene.prune()
    session = scene.session
    head = Head(session.head.seq, bytes(32))
    context = SnapshotContext(session.vault_id, head, 1, session.keys[-1].key_id)
    manifest = Manifest(session.device.device_id, measure([b"x"]), 0, tuple(session.membership.public_keys()))
    blob = b"".join(seal_snapshot(context, session.keys[-1], session.device, manifest, [b"x"]))
    serve(scene, context, blob)
    return newcomer.pull


def serve(scene: Scene, context: SnapshotContext, blob: bytes) -> None:
    """Answer in the relay's place to all that is asked about snapshots."""
    digest = base64url(sha256(blob).digest())
    snapshot = {
        "sha256": digest,
        "size": len(blob),
        "key_id": context.key_id,
        "schema_version": context.schema_version,
        "covers": {"seq": context.covers.seq, "chain": base64url(context.covers.chain)},
        "origin_device": scene.session.device.device_id,
        "status": "available",
        "created_at": "2026-04-26T09:30:00.000Z",
        "download": {"url": scene.cheat.url + "/blobs/its", "expires_at": "2036-04-26T09:30:00.000Z"},
    }

    def answer(method: str, path: str, _: bytes) -> None:
        if method == "GET" and path.endswith(("/latest", digest)):
            raise Unasked(200, {"epoch": scene.session.epoch, "snapshot": snapshot})
        if path.endswith("/blobs/its"):
            raise Unasked(200, blob)

    scene.cheat.intercept = answer
