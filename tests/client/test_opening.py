"""What a puller refuses, each by a tamper of its own; and that a refused page leaves no trace."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from relay_protocol.chain import Head
from relay_protocol.encoding import pae
from sync_relay_client import Change, DeviceKey, VaultKey, VaultSession
from sync_relay_client.errors import (
    AuthorInvalid,
    AuthorKeyUnknown,
    ChainBroken,
    EnvelopeInvalid,
    EpochChanged,
    KeyUnknown,
    NameMismatch,
    SequenceGap,
)

if TYPE_CHECKING:
    from tests.client.conftest import Forger, Log

Unchanged = Callable[[VaultSession, type[Exception]], AbstractContextManager[pytest.ExceptionInfo[Any]]]
MakeChange = Callable[..., Change]
Admit = Callable[[VaultSession, DeviceKey], VaultSession]

OTHER_EPOCH = "00000000-0000-0000-0000-000000000000"
OTHER_CHAIN = bytes(32)
NAMES = ("origin_user", "operation_type", "entity", "entity_id", "timestamp")


def test_a_page_opens_to_what_was_sealed(three: "Log", founder: VaultSession, change: MakeChange) -> None:
    opened = founder.open_page(three.page(0))
    assert [one.change for one in opened] == [change(entity_id=str(number)) for number in range(3)]
    assert [(one.seq, one.author, one.schema_version) for one in opened] == [
        (seq, founder.device.device_id, 3) for seq in (1, 2, 3)
    ]
    assert [one.id for one in opened] == [entry.envelope.id for entry in three.entries]
    assert founder.head == three.head


def test_pages_of_any_size_lead_to_the_same_head(three: "Log", founder: VaultSession) -> None:
    for since in range(3):
        founder.open_page(three.page(since, limit=1))
    founder.open_page(three.page(3))
    assert founder.head == three.head


def test_the_witness_is_the_verified_head(three: "Log", founder: VaultSession, change: MakeChange) -> None:
    founder.open_page(three.page(0))
    three.push(founder.seal(change(), 3))
    (opened,) = founder.open_page(three.page(3))
    assert opened.witness == Head(3, three.entries[2].chain)


def test_the_relay_sees_no_name(founder: VaultSession, change: MakeChange) -> None:
    first, second = founder.seal(change(), 3), founder.seal(change(), 3)
    for name in NAMES:
        assert getattr(first, name) != getattr(change(), name)
    for name in NAMES[:-1]:
        assert getattr(first, name) != getattr(second, name)


def test_names_sent_in_the_clear_are_taken(log: "Log", founder: VaultSession, change: MakeChange) -> None:
    sealed = founder.seal(change(), 3, in_clear=True)
    assert [getattr(sealed, name) for name in NAMES] == [getattr(change(), name) for name in NAMES]
    (opened,) = founder.open_page(log.push(sealed).page(0))
    assert opened.change == change()


def test_a_note_is_no_business_of_the_application(log: "Log", founder: VaultSession, change: MakeChange) -> None:
    note = change(operation_type="sync-relay/note", entity="-", entity_id="-")
    log.push(founder.seal(note, 0), founder.seal(change(), 3))
    assert [one.is_own_operation for one in founder.open_page(log.page(0))] == [True, False]


@pytest.mark.parametrize("operation_type", ["sync-relay/admit", "sync-relay/rekey"])
def test_an_application_cannot_admit_by_accident(
    founder: VaultSession, change: MakeChange, operation_type: str
) -> None:
    with pytest.raises(ValueError, match="their own methods"):
        founder.seal(change(operation_type=operation_type), 3)


# ---------------------------------------------------------------- the log


def test_another_epoch(three: "Log", founder: VaultSession, unchanged: Unchanged) -> None:
    with unchanged(founder, EpochChanged) as caught:
        founder.open_page(replace(three.page(0), epoch=OTHER_EPOCH))
    assert (caught.value.known, caught.value.found) == (founder.epoch, OTHER_EPOCH)


@pytest.mark.parametrize("order", [(0, 2), (1, 2), (0, 0, 1), (1, 0, 2), (0, 1, 1)])
def test_a_changeset_missing_doubled_or_swapped(
    three: "Log", founder: VaultSession, unchanged: Unchanged, order: tuple[int, ...]
) -> None:
    page = replace(three.page(0), changesets=[three.entries[index] for index in order])
    with unchanged(founder, SequenceGap):
        founder.open_page(page)


def test_a_page_that_begins_again(three: "Log", founder: VaultSession, unchanged: Unchanged) -> None:
    founder.open_page(three.page(0))
    with unchanged(founder, SequenceGap):
        founder.open_page(three.page(0))


@pytest.mark.parametrize("name", [*NAMES, "id", "origin_device", "key_id", "nonce", "ciphertext", "schema_version"])
def test_a_changed_field_breaks_the_chain(three: "Log", founder: VaultSession, unchanged: Unchanged, name: str) -> None:
    other: dict[str, Any] = {name: 4 if name == "schema_version" else "A"}
    entries = list(three.entries)
    entries[1] = replace(entries[1], envelope=replace(entries[1].envelope, **other))
    with unchanged(founder, ChainBroken) as caught:
        founder.open_page(replace(three.page(0), changesets=entries))
    assert caught.value.seq == 2


def test_two_changesets_swapped_under_each_other_s_seq(
    three: "Log", founder: VaultSession, unchanged: Unchanged
) -> None:
    first, second, third = three.entries
    swapped = [replace(first, envelope=second.envelope), replace(second, envelope=first.envelope), third]
    with unchanged(founder, ChainBroken):
        founder.open_page(replace(three.page(0), changesets=swapped))


def test_a_dropped_changeset_with_the_seqs_closed_up(three: "Log", founder: VaultSession, unchanged: Unchanged) -> None:
    kept = [three.entries[0], replace(three.entries[2], seq=2)]
    with unchanged(founder, ChainBroken):
        founder.open_page(replace(three.page(0), changesets=kept))


def test_a_log_of_another_vault(three: "Log", alice: DeviceKey, founder: VaultSession, unchanged: Unchanged) -> None:
    other = VaultSession.found(alice, OTHER_EPOCH, founder.epoch, founder.keys[0])
    with unchanged(other, ChainBroken):
        other.open_page(three.page(0))


def test_a_failure_at_the_end_of_a_page_leaves_no_trace_of_its_beginning(
    three: "Log", founder: VaultSession, unchanged: Unchanged, bob: DeviceKey
) -> None:
    three.push(founder.admit(bob.public_key))
    entries = [*three.entries[:3], replace(three.entries[3], chain=OTHER_CHAIN)]
    with unchanged(founder, ChainBroken):
        founder.open_page(replace(three.page(0), changesets=entries))
    assert len(founder.open_page(three.page(0))) == 4


# ---------------------------------------------------------------- the envelope


def test_a_key_that_is_not_the_vault_s(
    log: "Log", founder: VaultSession, unchanged: Unchanged, forge: "Forger"
) -> None:
    forge.key = VaultKey(b"k" * 32)
    log.push(forge(founder.device, founder.head))
    with unchanged(founder, KeyUnknown) as caught:
        founder.open_page(log.page(0))
    assert caught.value.seq == 1


@pytest.mark.parametrize("name", [*NAMES, "id", "origin_device", "schema_version"])
def test_what_the_relay_sees_is_bound_by_the_seal(
    log: "Log", founder: VaultSession, unchanged: Unchanged, change: MakeChange, name: str
) -> None:
    other: dict[str, Any] = {name: 4 if name == "schema_version" else OTHER_EPOCH}
    log.push(replace(founder.seal(change(), 3), **other))
    with unchanged(founder, EnvelopeInvalid):
        founder.open_page(log.page(0))


@pytest.mark.parametrize("sealed", ["", "A", "AA", "*", "AA==", "Z" * 32, "é", "\0"])
@pytest.mark.parametrize("name", ["nonce", "ciphertext"])
def test_sealed_fields_that_are_anything(
    log: "Log", founder: VaultSession, unchanged: Unchanged, change: MakeChange, name: str, sealed: str
) -> None:
    other: dict[str, Any] = {name: sealed}
    log.push(replace(founder.seal(change(), 3), **other))
    with unchanged(founder, EnvelopeInvalid):
        founder.open_page(log.page(0))


def good_body(change: Change, witness: Head, at: int, piece: bytes) -> bytes:
    names = (change.origin_user, change.timestamp, change.operation_type, change.entity, change.entity_id)
    pieces: list[str | int | bytes] = ["sync-relay/body/v1", *names, change.payload, witness.seq, witness.chain]
    pieces[at] = piece
    return pae(*pieces)


@pytest.mark.parametrize(
    ("at", "piece"),
    [
        (0, b"sync-relay/body/v2"),
        (1, b"\xff"),
        (5, b"\xed\xa0\x80"),
        (7, b""),
        (7, b"-1"),
        (7, b"+0"),
        (7, b"00"),
        (7, b" 0"),
        (7, b"\xd9\xa0"),
        (7, b"1" * 20),
        (7, b"1" * 5000),
        (8, bytes(31)),
        (8, bytes(33)),
    ],
)
def test_a_signed_body_of_another_form(
    log: "Log", founder: VaultSession, unchanged: Unchanged, change: MakeChange, forge: "Forger", at: int, piece: bytes
) -> None:
    log.push(forge(founder.device, founder.head, body=good_body(change(), founder.head, at, piece)))
    with unchanged(founder, EnvelopeInvalid):
        founder.open_page(log.page(0))


@pytest.mark.parametrize("body", [b"", pae(), pae("sync-relay/body/v1"), b"\xff" * 40])
def test_a_body_that_is_none(
    log: "Log", founder: VaultSession, unchanged: Unchanged, forge: "Forger", body: bytes
) -> None:
    log.push(forge(founder.device, founder.head, body=body))
    with unchanged(founder, EnvelopeInvalid):
        founder.open_page(log.page(0))


@pytest.mark.parametrize("plaintext", [b"", pae(), pae("one"), pae("one", "two", "three"), b"\0" * 100])
def test_a_plaintext_that_is_no_pair(
    log: "Log", founder: VaultSession, unchanged: Unchanged, forge: "Forger", plaintext: bytes
) -> None:
    log.push(forge(founder.device, founder.head, plaintext=plaintext))
    with unchanged(founder, EnvelopeInvalid):
        founder.open_page(log.page(0))


def test_padding_of_another_length(log: "Log", founder: VaultSession, unchanged: Unchanged, forge: "Forger") -> None:
    body = forge.body(Change("u", "t", "o", "e", "i", b""), founder.head)
    log.push(forge(founder.device, founder.head, padded=pae(body, bytes(64)) + b"\x80" + bytes(300)))
    with unchanged(founder, EnvelopeInvalid):
        founder.open_page(log.page(0))


# ---------------------------------------------------------------- the author


def test_a_change_signed_by_another_member(
    log: "Log", founder: VaultSession, unchanged: Unchanged, forge: "Forger", bob: DeviceKey, admit: Admit
) -> None:
    """Both know the vault key: only the signature tells who wrote it."""
    admit(founder, bob)
    log.push(forge(founder.device, founder.head, signer=bob))
    with unchanged(founder, AuthorInvalid):
        founder.open_page(log.page(1))


@pytest.mark.parametrize("signature", [b"", bytes(63), bytes(64), bytes(65)])
def test_a_signature_that_is_none(
    log: "Log", founder: VaultSession, unchanged: Unchanged, change: MakeChange, forge: "Forger", signature: bytes
) -> None:
    log.push(forge(founder.device, founder.head, plaintext=pae(forge.body(change(), founder.head), signature)))
    with unchanged(founder, AuthorInvalid):
        founder.open_page(log.page(0))


def test_a_body_that_was_moved_into_another_envelope(
    log: "Log", founder: VaultSession, unchanged: Unchanged, change: MakeChange, forge: "Forger"
) -> None:
    """Another member opens a change and seals it again under a new id: the signature binds what is outside."""
    body = forge.body(change(), founder.head)
    signature = founder.device.sign(pae("sync-relay/author/v1", b"another aad", body))
    log.push(forge(founder.device, founder.head, plaintext=pae(body, signature)))
    with unchanged(founder, AuthorInvalid):
        founder.open_page(log.page(0))


def test_a_founder_whose_key_must_be_learnt(
    log: "Log", founder: VaultSession, unchanged: Unchanged, change: MakeChange, alice: DeviceKey
) -> None:
    log.push(founder.seal(change(), 3))
    late = VaultSession.found(alice, log.vault_id, founder.epoch, founder.keys[0])
    late._trust = replace(late._trust, membership=replace(late.membership, known_keys={}))
    with unchanged(late, AuthorKeyUnknown) as caught:
        late.open_page(log.page(0))
    assert caught.value.device_id == alice.device_id
    late.learn([alice.public_key])
    assert len(late.open_page(log.page(0))) == 1


def test_a_key_that_no_device_can_have_is_not_learnt(founder: VaultSession) -> None:
    with pytest.raises(ValueError, match="not an Ed25519 key"):
        founder.learn([bytes(32)])


@pytest.mark.parametrize("name", NAMES)
def test_a_name_outside_that_is_not_the_signed_one(
    log: "Log", founder: VaultSession, unchanged: Unchanged, forge: "Forger", name: str
) -> None:
    outside = {name: forge.key.blind(name, OTHER_EPOCH, "another")}
    log.push(forge(founder.device, founder.head, outside=outside))
    with unchanged(founder, NameMismatch):
        founder.open_page(log.page(0))


@pytest.mark.parametrize("name", NAMES)
def test_names_half_in_the_clear(
    log: "Log", founder: VaultSession, unchanged: Unchanged, forge: "Forger", change: MakeChange, name: str
) -> None:
    log.push(forge(founder.device, founder.head, outside={name: getattr(change(), name)}))
    with unchanged(founder, NameMismatch):
        founder.open_page(log.page(0))


def test_a_blinded_name_copied_from_another_changeset(
    log: "Log", founder: VaultSession, unchanged: Unchanged, forge: "Forger", change: MakeChange
) -> None:
    other = founder.seal(change(), 3)
    log.push(forge(founder.device, founder.head, outside={"entity_id": other.entity_id}))
    with unchanged(founder, NameMismatch):
        founder.open_page(log.page(0))
