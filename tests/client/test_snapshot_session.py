"""A device that begins at a snapshot: what it takes over, and which snapshots it refuses."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from relay_protocol.answers import HeadAnswer, Snapshot
from relay_protocol.chain import Head
from relay_protocol.encoding import base64url, pae
from sync_relay_client import (
    Change,
    ContentMeasure,
    DeviceKey,
    Invitation,
    SnapshotContext,
    SnapshotReader,
    VaultKey,
    VaultSession,
    measure,
)
from sync_relay_client.errors import KeyUnknown, RolledBack, RotatedOut, SnapshotInvalid
from sync_relay_client.secretstream import seal_frames
from sync_relay_client.snapshot_blob import Manifest, seal_snapshot

if TYPE_CHECKING:
    from tests.client.conftest import Forger, Log

Unchanged = Callable[[VaultSession, type[Exception]], AbstractContextManager[pytest.ExceptionInfo[Any]]]
MakeChange = Callable[..., Change]
Admit = Callable[[VaultSession, DeviceKey], VaultSession]

CONTENT = [b"the whole vault, ", b"", b"in pieces"]
MEASURE = ContentMeasure(26, sha256(b"".join(CONTENT)).digest())


def record(context: SnapshotContext) -> Snapshot:
    """Return what a relay tells of a snapshot; only what the seal binds matters here."""
    return Snapshot(
        sha256="A" * 43,
        size=1,
        key_id=context.key_id,
        schema_version=context.schema_version,
        covers=HeadAnswer(seq=context.covers.seq, chain=base64url(context.covers.chain)),
        origin_device="A" * 43,
        status="available",
        created_at="2026-04-26T09:30:00.000Z",
    )


@pytest.fixture
def bobs(founder: VaultSession, bob: DeviceKey, admit: Admit) -> VaultSession:
    return admit(founder, bob)


@pytest.fixture
def ahead(log: "Log", founder: VaultSession, bobs: VaultSession, carol: DeviceKey, change: MakeChange) -> VaultSession:
    """The founder's session at seq 5, carol admitted and bob gone by a rekey; bob's stands at 1."""
    assert bobs.head.seq == 1
    log.push(founder.seal(change(), 3), founder.admit(carol.public_key))
    founder.open_page(log.page(1))
    log.push(founder.rekey([founder.device.device_id, carol.device_id]), founder.seal(change(), 3))
    founder.open_page(log.page(3))
    return founder


@pytest.fixture
def newcomer(ahead: VaultSession, carol: DeviceKey) -> VaultSession:
    code = ahead.invite(carol.public_key, "https://relay.example", 1_800_000_000)
    return VaultSession.join(carol, Invitation.open(code, carol))


def read(session: VaultSession, context: SnapshotContext, blob: list[bytes]) -> SnapshotReader:
    reader = session.open_snapshot(record(context), blob)
    assert b"".join(reader.content()) == b"".join(CONTENT)
    return reader


def test_content_is_measured_in_pieces() -> None:
    assert measure(CONTENT) == MEASURE


def test_a_newcomer_goes_on_from_a_snapshot(
    log: "Log", ahead: VaultSession, newcomer: VaultSession, change: MakeChange
) -> None:
    context, blob = ahead.seal_snapshot(CONTENT, MEASURE, 3)
    newcomer.start_at(read(newcomer, context, list(blob)))
    assert newcomer.head == ahead.head
    assert newcomer.membership.belonging == ahead.membership.belonging
    assert newcomer.membership.rekey_seq == ahead.membership.rekey_seq == 4
    log.push(ahead.seal(change(), 3), newcomer.seal(change(), 3))
    assert len(newcomer.open_page(log.page(5))) == len(ahead.open_page(log.page(5))) == 2


def test_after_a_snapshot_the_old_key_is_refused_as_it_is_for_others(
    log: "Log", ahead: VaultSession, newcomer: VaultSession, bobs: VaultSession, change: MakeChange
) -> None:
    context, blob = ahead.seal_snapshot(CONTENT, MEASURE, 3)
    newcomer.start_at(read(newcomer, context, list(blob)))
    log.push(bobs.seal(change(), 3))
    with pytest.raises(RotatedOut):
        newcomer.open_page(log.page(5))


def test_a_witness_from_before_the_snapshot_is_not_judged(
    log: "Log", ahead: VaultSession, newcomer: VaultSession, forge: "Forger"
) -> None:
    context, blob = ahead.seal_snapshot(CONTENT, MEASURE, 3)
    newcomer.start_at(read(newcomer, context, list(blob)))
    forge.key = ahead.keys[1]
    log.push(forge(ahead.device, Head(2, bytes(32))))
    assert len(newcomer.open_page(log.page(5))) == 1


def test_a_snapshot_older_than_the_invitation_leaves_its_head_to_be_seen(
    log: "Log", founder: VaultSession, change: MakeChange, carol: DeviceKey, unchanged: Unchanged
) -> None:
    log.push(founder.seal(change(), 3))
    founder.open_page(log.page(0))
    context, blob = founder.seal_snapshot(CONTENT, MEASURE, 3)
    pieces = list(blob)
    log.push(founder.admit(carol.public_key))
    founder.open_page(log.page(1))
    code = founder.invite(carol.public_key, "https://relay.example", 1_800_000_000)
    newcomer = VaultSession.join(carol, Invitation.open(code, carol))
    newcomer.start_at(read(newcomer, context, pieces))
    with unchanged(newcomer, RolledBack):
        newcomer.open_page(replace(log.page(1, limit=0), head=newcomer.head, has_more=False))
    newcomer.open_page(log.page(1))
    assert newcomer.belongs


def test_a_snapshot_of_another_history_than_the_invitation_s(
    ahead: VaultSession, newcomer: VaultSession, unchanged: Unchanged
) -> None:
    context = SnapshotContext(ahead.vault_id, Head(5, bytes(32)), 3, ahead.keys[1].key_id)
    manifest = Manifest(ahead.device.device_id, MEASURE, 4, tuple(ahead.membership.public_keys()))
    blob = list(seal_snapshot(context, ahead.keys[1], ahead.device, manifest, CONTENT))
    reader = read(newcomer, context, blob)
    with unchanged(newcomer, RolledBack):
        newcomer.start_at(reader)


def test_a_member_takes_a_snapshot_of_one_who_belongs(
    log: "Log", founder: VaultSession, bobs: VaultSession, change: MakeChange
) -> None:
    """Bob was away so long that the log was pruned under him."""
    log.push(founder.seal(change(), 3))
    founder.open_page(log.page(1))
    context, blob = founder.seal_snapshot(CONTENT, MEASURE, 3)
    bobs.start_at(read(bobs, context, list(blob)))
    assert bobs.head == founder.head


def invited(inviter: VaultSession, device: DeviceKey) -> VaultSession:
    code = inviter.invite(device.public_key, "https://relay.example", 1_800_000_000)
    return VaultSession.join(device, Invitation.open(code, device))


@pytest.fixture
def carols(log: "Log", newcomer: VaultSession) -> VaultSession:
    """Carol's session, who has read the whole history."""
    newcomer.open_page(log.page(0))
    return newcomer


def test_a_newcomer_takes_a_snapshot_of_any_whom_the_invitation_names(
    log: "Log", ahead: VaultSession, carols: VaultSession, devices: dict[str, DeviceKey]
) -> None:
    late = devices["rfc8037-a"]
    log.push(ahead.admit(late.public_key))
    ahead.open_page(log.page(5))
    session = invited(ahead, late)
    context, blob = carols.seal_snapshot(CONTENT, MEASURE, 3)
    session.start_at(read(session, context, list(blob)))
    session.open_page(log.page(5))
    assert session.head == log.head


def test_a_newcomer_takes_none_of_a_founder_who_left(
    log: "Log", founder: VaultSession, bobs: VaultSession, carol: DeviceKey
) -> None:
    """The founder belongs where the log begins; the invitation no longer names her."""
    context, blob = founder.seal_snapshot(CONTENT, MEASURE, 3)
    log.push(bobs.rekey([bobs.device.device_id]), bobs.admit(carol.public_key))
    bobs.open_page(log.page(1))
    with pytest.raises(SnapshotInvalid, match="not one to be trusted"):
        invited(bobs, carol).open_snapshot(record(context), blob)


def test_one_who_read_the_history_takes_a_snapshot_of_one_admitted_later(
    log: "Log", ahead: VaultSession, carols: VaultSession, devices: dict[str, DeviceKey]
) -> None:
    log.push(ahead.admit(devices["rfc8037-a"].public_key))
    for session in (ahead, carols):
        session.open_page(log.page(5))
    late = invited(ahead, devices["rfc8037-a"])
    late.open_page(log.page(0))
    log.push(ahead.admit(devices["bob"].public_key))
    late.open_page(log.page(6))
    context, blob = late.seal_snapshot(CONTENT, MEASURE, 3)
    carols.start_at(read(carols, context, list(blob)))
    assert carols.head == log.head


def test_after_a_snapshot_one_who_missed_the_rekey_is_still_taken(
    log: "Log", ahead: VaultSession, carol: DeviceKey, devices: dict[str, DeviceKey], forge: "Forger"
) -> None:
    """Carol stays, and pushed under the old key before she saw the rekey."""
    late = devices["rfc8037-a"]
    log.push(ahead.admit(late.public_key))
    ahead.open_page(log.page(5))
    session = invited(ahead, late)
    context, blob = ahead.seal_snapshot(CONTENT, MEASURE, 3)
    session.start_at(read(session, context, list(blob)))
    log.push(forge(carol, Head(3, log.entries[2].chain)))
    for reader in (session, ahead):
        (opened,) = reader.open_page(log.page(6))
        assert opened.author == carol.device_id


@pytest.mark.parametrize("seen", [0, 1])
def test_a_snapshot_that_was_not_read_to_its_end(
    ahead: VaultSession, newcomer: VaultSession, unchanged: Unchanged, seen: int
) -> None:
    context, blob = ahead.seal_snapshot(CONTENT, MEASURE, 3)
    reader = newcomer.open_snapshot(record(context), blob)
    for _ in range(seen):
        next(reader.content())
    with unchanged(newcomer, ValueError):
        newcomer.start_at(reader)


def test_a_snapshot_behind_the_verified_head(founder: VaultSession, bobs: VaultSession, unchanged: Unchanged) -> None:
    context, blob = founder.seal_snapshot(CONTENT, MEASURE, 3)
    with unchanged(bobs, ValueError):
        bobs.start_at(read(bobs, context, list(blob)))


# ---------------------------------------------------------------- refused


def test_a_snapshot_by_one_whom_the_invitation_does_not_name(
    ahead: VaultSession, newcomer: VaultSession, bob: DeviceKey
) -> None:
    """Bob left, but the relay kept him on its list, and he knows the old key."""
    context = SnapshotContext(ahead.vault_id, ahead.head, 3, ahead.keys[0].key_id)
    manifest = Manifest(bob.device_id, MEASURE, 0, (bob.public_key,))
    with pytest.raises(SnapshotInvalid, match="not one to be trusted"):
        newcomer.open_snapshot(record(context), seal_snapshot(context, ahead.keys[0], bob, manifest, CONTENT))


def test_a_snapshot_under_an_unknown_key(ahead: VaultSession, newcomer: VaultSession) -> None:
    key = VaultKey(b"z" * 32)
    context = SnapshotContext(ahead.vault_id, ahead.head, 3, key.key_id)
    manifest = Manifest(ahead.device.device_id, MEASURE, 4, (ahead.device.public_key,))
    with pytest.raises(KeyUnknown):
        newcomer.open_snapshot(record(context), seal_snapshot(context, key, ahead.device, manifest, CONTENT))


@pytest.mark.parametrize(
    "other",
    [
        {"vault_id": "00000000-0000-0000-0000-000000000000"},
        {"covers": Head(4, bytes(32))},
        {"covers": Head(6, bytes(32))},
        {"schema_version": 4},
    ],
)
def test_a_snapshot_told_under_another_context(ahead: VaultSession, other: dict[str, Any]) -> None:
    """The relay says that it covers more, or less, than its author sealed."""
    context, blob = ahead.seal_snapshot(CONTENT, MEASURE, 3)
    told = replace(context, **other)
    reads_as = VaultSession.found(ahead.device, told.vault_id, ahead.epoch, ahead.keys[1])
    with pytest.raises(SnapshotInvalid):
        reads_as.open_snapshot(record(told), blob)


def manifest_of(ahead: VaultSession, **other: Any) -> Manifest:
    whole = Manifest(ahead.device.device_id, MEASURE, 4, tuple(ahead.membership.public_keys()))
    return replace(whole, **other)


def read_handmade(ahead: VaultSession, first: bytes) -> None:
    context = SnapshotContext(ahead.vault_id, ahead.head, 3, ahead.keys[1].key_id)
    blob = seal_frames(ahead.keys[1].aead_key, context.associated_data(), first, CONTENT)
    list(ahead.open_snapshot(record(context), blob).content())


def signed(ahead: VaultSession, manifest: bytes, signer: DeviceKey | None = None) -> bytes:
    context = SnapshotContext(ahead.vault_id, ahead.head, 3, ahead.keys[1].key_id)
    message = pae("sync-relay/snapshot-author/v1", context.associated_data(), manifest)
    return pae(manifest, (signer or ahead.device).sign(message))


def test_the_handmade_snapshot_is_taken_as_such(ahead: VaultSession) -> None:
    read_handmade(ahead, signed(ahead, manifest_of(ahead).encode()))


@pytest.mark.parametrize(
    "manifest",
    [
        {"content": replace(MEASURE, size=25)},
        {"content": replace(MEASURE, size=27)},
        {"content": replace(MEASURE, sha256=bytes(32))},
        {"rekey_seq": 6},
    ],
)
def test_a_manifest_that_the_blob_contradicts(ahead: VaultSession, manifest: dict[str, Any]) -> None:
    with pytest.raises(SnapshotInvalid):
        read_handmade(ahead, signed(ahead, manifest_of(ahead, **manifest).encode()))


def test_a_manifest_of_another_form(ahead: VaultSession, bob: DeviceKey) -> None:
    author, digest, key = ahead.device.device_id, MEASURE.sha256, bob.public_key
    for pieces in (
        ("sync-relay/manifest/v2", author, 26, digest, 0, key),
        ("sync-relay/manifest/v1", author, 26, digest, 0),
        ("sync-relay/manifest/v1", author, 26, digest, 0, bytes(32)),
        ("sync-relay/manifest/v1", author, 26, digest, 0, key, key),
        ("sync-relay/manifest/v1", author, "026", digest, 0, key),
        ("sync-relay/manifest/v1", author, 26, digest, "x", key),
        ("sync-relay/manifest/v1", author, 26, digest[1:], 0, key),
        ("sync-relay/manifest/v1", b"\xff", 26, digest, 0, key),
    ):
        with pytest.raises(SnapshotInvalid, match="has not the form"):
            read_handmade(ahead, signed(ahead, pae(*pieces)))


@pytest.mark.parametrize("first", [b"", pae(), pae("one"), pae("one", "two", "three")])
def test_a_first_frame_that_is_no_pair(ahead: VaultSession, first: bytes) -> None:
    with pytest.raises(SnapshotInvalid, match="has not the form"):
        read_handmade(ahead, first)


def test_a_manifest_signed_by_another_member(ahead: VaultSession, carol: DeviceKey) -> None:
    with pytest.raises(SnapshotInvalid, match="signature"):
        read_handmade(ahead, signed(ahead, manifest_of(ahead).encode(), signer=carol))


def test_a_manifest_signed_for_another_place(ahead: VaultSession) -> None:
    """A member's manifest from an earlier snapshot, put under a newer `covers`."""
    manifest = manifest_of(ahead).encode()
    earlier = SnapshotContext(ahead.vault_id, Head(3, bytes(32)), 3, ahead.keys[1].key_id)
    message = pae("sync-relay/snapshot-author/v1", earlier.associated_data(), manifest)
    with pytest.raises(SnapshotInvalid, match="signature"):
        read_handmade(ahead, pae(manifest, ahead.device.sign(message)))


def test_content_that_changed_since_it_was_measured(ahead: VaultSession) -> None:
    _, blob = ahead.seal_snapshot([*CONTENT, b"!"], MEASURE, 3)
    with pytest.raises(ValueError, match="not the one that was measured"):
        list(blob)


def test_one_who_left_makes_no_snapshot(log: "Log", ahead: VaultSession, bobs: VaultSession) -> None:
    bobs.open_page(log.page(1, limit=3))
    assert ahead.head.seq == 5
    with pytest.raises(RotatedOut):
        bobs.seal_snapshot(CONTENT, MEASURE, 3)
