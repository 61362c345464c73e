"""An invitation is for one device, by one who belongs, and holds the newcomer's relay to the inviter's history."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from relay_protocol.chain import Head
from relay_protocol.encoding import base64url, from_base64url, from_pae, pae
from sync_relay_client import Change, DeviceKey, Invitation, VaultSession, read_request, request_code
from sync_relay_client.errors import InvitationInvalid, RolledBack
from sync_relay_client.keys import seal_box

if TYPE_CHECKING:
    from tests.client.conftest import Log

Unchanged = Callable[[VaultSession, type[Exception]], AbstractContextManager[pytest.ExceptionInfo[Any]]]
MakeChange = Callable[..., Change]

URL = "https://relay.example/prod"
EXPIRES_AT = 1_800_000_000


@pytest.fixture
def admitted(log: "Log", founder: VaultSession, bob: DeviceKey, change: MakeChange) -> VaultSession:
    """The founder's session after three changesets, bob's admit among them."""
    log.push(founder.seal(change(), 3), founder.admit(bob.public_key), founder.seal(change(), 3))
    founder.open_page(log.page(0))
    return founder


@pytest.fixture
def code(admitted: VaultSession, bob: DeviceKey) -> str:
    return admitted.invite(bob.public_key, URL, EXPIRES_AT)


def test_the_invited_device_sees_what_the_inviter_sees(
    log: "Log", admitted: VaultSession, code: str, bob: DeviceKey
) -> None:
    session = VaultSession.join(bob, Invitation.open(code, bob))
    session.open_page(log.page(0))
    assert (session.head, session.keys, session.founder) == (admitted.head, admitted.keys, admitted.founder)
    assert session.belongs
    assert session.membership.belonging == admitted.membership.belonging


def test_a_code_survives_a_line_break(code: str, bob: DeviceKey) -> None:
    assert Invitation.open(f" {code}\n", bob) == Invitation.open(code, bob)


def test_a_code_is_useless_to_another_device(code: str, carol: DeviceKey) -> None:
    with pytest.raises(InvitationInvalid):
        Invitation.open(code, carol)


def test_nobody_is_invited_before_the_admit_was_verified(log: "Log", founder: VaultSession, bob: DeviceKey) -> None:
    log.push(founder.admit(bob.public_key))
    with pytest.raises(ValueError, match="pull it back first"):
        founder.invite(bob.public_key, URL, EXPIRES_AT)


def test_a_code_changed_anywhere_does_not_open(code: str, bob: DeviceKey) -> None:
    sealed = from_base64url(code)
    for at in range(0, len(sealed), 37):
        changed = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
        with pytest.raises(InvitationInvalid):
            Invitation.open(base64url(changed), bob)


@pytest.mark.parametrize("code", ["", "A", "AA==", "é", "A" * 100, "\0"])
def test_text_that_is_no_code(code: str, bob: DeviceKey) -> None:
    with pytest.raises(InvitationInvalid):
        Invitation.open(code, bob)


ENDORSEMENT = b'{"endorser":"%s","expires_at":1800000000,"signature":"%s"}'


@pytest.mark.parametrize(
    ("at", "piece"),
    [
        (0, b"sync-relay/invitation/v2"),
        (1, b"ftp://relay.example"),
        (1, b"https://user@relay.example"),
        (1, b"\xff"),
        (2, b"no uuid"),
        (3, b"no uuid"),
        (4, b"short"),
        (5, b"-1"),
        (5, b"03"),
        (6, bytes(31)),
        (7, b""),
        (7, b"null"),
        (7, b"{}"),
        (7, ENDORSEMENT % (b"A" * 43, b"short")),
        (8, b""),
        (8, pae()),
        (8, pae(bytes(31))),
        (8, pae(bytes(32), bytes(32))),
        (9, b""),
        (9, pae()),
        (9, pae(bytes(32))),
    ],
)
def test_a_piece_of_another_form(code: str, bob: DeviceKey, at: int, piece: bytes) -> None:
    pieces: list[str | int | bytes] = list(from_pae(bob.open_box(from_base64url(code))))
    pieces[at] = piece
    with pytest.raises(InvitationInvalid):
        Invitation.open(base64url(seal_box(bob.public_key, pae(*pieces))), bob)


def test_an_endorsement_by_one_whom_the_invitation_does_not_name(code: str, bob: DeviceKey, carol: DeviceKey) -> None:
    invitation = replace(Invitation.open(code, bob), public_keys=(carol.public_key,))
    with pytest.raises(InvitationInvalid):
        Invitation.open(invitation.seal_for(bob.public_key), bob)


def test_an_endorsement_of_another_device(code: str, bob: DeviceKey, carol: DeviceKey) -> None:
    """Bob hands his own invitation on: carol could read the vault with it, but not as one who was let in."""
    with pytest.raises(InvitationInvalid):
        Invitation.open(Invitation.open(code, bob).seal_for(carol.public_key), carol)


def test_a_member_named_twice(code: str, bob: DeviceKey, alice: DeviceKey) -> None:
    invitation = replace(Invitation.open(code, bob), public_keys=(alice.public_key, alice.public_key))
    with pytest.raises(InvitationInvalid):
        Invitation.open(invitation.seal_for(bob.public_key), bob)


def test_a_request_is_the_public_key(bob: DeviceKey) -> None:
    assert read_request(request_code(bob) + "\n") == bob.public_key


@pytest.mark.parametrize("code", ["", "A", "A" * 43, "A" * 42, "é" * 43, base64url(b"k" * 33)])
def test_a_request_that_is_no_key(code: str) -> None:
    with pytest.raises(InvitationInvalid):
        read_request(code)


def test_a_request_that_the_relay_would_refuse(vector: Callable[[str], Any]) -> None:
    for code in vector("devices")["refused_public_keys"]:
        with pytest.raises(InvitationInvalid):
            read_request(code)


# ---------------------------------------------------------------- the anchor


def test_a_relay_that_hides_the_newest_changes_from_a_newcomer(
    log: "Log", code: str, bob: DeviceKey, unchanged: Unchanged
) -> None:
    session = VaultSession.join(bob, Invitation.open(code, bob))
    short = log.page(0, limit=2)
    rolled_back = replace(short, has_more=False, head=Head(2, short.changesets[-1].chain))
    with unchanged(session, RolledBack):
        session.open_page(rolled_back)


def test_a_relay_that_shows_a_newcomer_another_history(
    log: "Log", admitted: VaultSession, code: str, bob: DeviceKey, unchanged: Unchanged, change: MakeChange
) -> None:
    other = type(log)()
    other.vault_id = log.vault_id
    session = VaultSession.join(bob, Invitation.open(code, bob))
    fresh = VaultSession.found(admitted.device, log.vault_id, admitted.epoch, admitted.keys[0])
    other.head = fresh.head
    other.push(*(fresh.seal(change(), 3) for _ in range(4)))
    with unchanged(session, RolledBack) as caught:
        session.open_page(other.page(0))
    assert caught.value.seq == 3


def test_a_newcomer_may_read_in_small_pages(log: "Log", code: str, bob: DeviceKey) -> None:
    session = VaultSession.join(bob, Invitation.open(code, bob))
    for since in range(3):
        session.open_page(log.page(since, limit=1))
    assert session.head == log.head


def test_a_newcomer_may_write_before_it_read(
    log: "Log", admitted: VaultSession, code: str, bob: DeviceKey, change: MakeChange
) -> None:
    session = VaultSession.join(bob, Invitation.open(code, bob))
    log.push(session.seal(change(), 3))
    (opened,) = admitted.open_page(log.page(3))
    assert opened.author == bob.device_id
    assert opened.witness.seq == 0
