"""Rekeys: who stays gets the new key, who leaves writes no more, and nobody who reads the history is locked out."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import pytest

from relay_protocol.encoding import pae
from sync_relay_client import Change, DeviceKey, Invitation, VaultKey, VaultSession
from sync_relay_client.errors import AuthorKeyUnknown, KeyUnknown, MembershipInvalid, RotatedOut
from sync_relay_client.keys import seal_box

if TYPE_CHECKING:
    from tests.client.conftest import Forger, Log

Unchanged = Callable[[VaultSession, type[Exception]], AbstractContextManager[pytest.ExceptionInfo[Any]]]
MakeChange = Callable[..., Change]
Admit = Callable[[VaultSession, DeviceKey], VaultSession]


def catch_up(log: "Log", *sessions: VaultSession) -> None:
    for session in sessions:
        session.open_page(log.page(session.head.seq))


@pytest.fixture
def bobs(founder: VaultSession, bob: DeviceKey, admit: Admit) -> VaultSession:
    return admit(founder, bob)


@pytest.fixture
def carols(log: "Log", founder: VaultSession, bobs: VaultSession, carol: DeviceKey, admit: Admit) -> VaultSession:
    session = admit(founder, carol)
    catch_up(log, bobs)
    return session


@pytest.fixture
def rotated(log: "Log", founder: VaultSession, bobs: VaultSession, carols: VaultSession) -> VaultSession:
    """The founder's session after a rekey that bob does not survive, and that only she has read."""
    log.push(founder.rekey([founder.device.device_id, carols.device.device_id]))
    catch_up(log, founder)
    assert bobs.head.seq == 2
    return founder


def test_who_stays_gets_the_new_key(log: "Log", rotated: VaultSession, carols: VaultSession) -> None:
    catch_up(log, carols)
    assert carols.keys == rotated.keys
    assert len(rotated.keys) == 2
    assert carols.membership.rekey_seq == 3
    assert carols.membership.belonging == {rotated.device.device_id, carols.device.device_id}


def test_after_it_changes_are_sealed_under_the_new_key(
    log: "Log", rotated: VaultSession, carols: VaultSession, change: MakeChange
) -> None:
    sealed = rotated.seal(change(), 3)
    assert sealed.key_id == rotated.keys[1].key_id
    log.push(sealed)
    catch_up(log, carols)
    assert carols.head == log.head


def test_who_left_can_read_no_more(
    log: "Log", rotated: VaultSession, bobs: VaultSession, change: MakeChange, unchanged: Unchanged
) -> None:
    catch_up(log, bobs)
    assert not bobs.belongs
    log.push(rotated.seal(change(), 3))
    with unchanged(bobs, KeyUnknown):
        catch_up(log, bobs)


@pytest.mark.usefixtures("rotated")
def test_who_left_can_seal_no_more(log: "Log", bobs: VaultSession, change: MakeChange, unchanged: Unchanged) -> None:
    catch_up(log, bobs)
    with unchanged(bobs, RotatedOut) as caught:
        bobs.seal(change(), 3)
    assert caught.value.device_id == bobs.device.device_id
    with unchanged(bobs, RotatedOut):
        bobs.rekey([bobs.device.device_id])


def test_what_one_who_left_writes_under_the_old_key_is_refused(
    log: "Log", rotated: VaultSession, bobs: VaultSession, change: MakeChange, unchanged: Unchanged
) -> None:
    log.push(bobs.seal(change(), 3))
    with unchanged(rotated, RotatedOut) as caught:
        catch_up(log, rotated)
    assert (caught.value.seq, caught.value.device_id) == (4, bobs.device.device_id)


def test_what_was_refused_can_be_passed_over(
    log: "Log", rotated: VaultSession, bobs: VaultSession, change: MakeChange
) -> None:
    """Bob pushed between the rekey and his revocation: the vault goes on without his change."""
    log.push(bobs.seal(change(), 3), rotated.seal(change(entity_id="after"), 3))
    opened = rotated.open_page(log.page(3), pass_over=[4])
    assert [one.change.entity_id for one in opened] == ["after"]
    assert rotated.head == log.head


def test_nothing_else_can_be_passed_over(
    log: "Log", rotated: VaultSession, forge: "Forger", devices: dict[str, DeviceKey], unchanged: Unchanged
) -> None:
    forge.key = rotated.keys[1]
    log.push(forge(devices["rfc8037-a"], rotated.head))
    with unchanged(rotated, MembershipInvalid):
        rotated.open_page(log.page(3), pass_over=[4])


def test_one_who_left_is_refused_under_the_new_key_too(
    log: "Log", rotated: VaultSession, forge: "Forger", bob: DeviceKey, unchanged: Unchanged
) -> None:
    forge.key = rotated.keys[1]
    log.push(forge(bob, rotated.head))
    with unchanged(rotated, MembershipInvalid):
        catch_up(log, rotated)


def test_one_who_stays_and_has_not_seen_the_rekey_is_taken(
    log: "Log", rotated: VaultSession, carols: VaultSession, change: MakeChange
) -> None:
    log.push(carols.seal(change(), 3))
    catch_up(log, rotated, carols)
    assert rotated.head == carols.head == log.head


def test_of_two_rekeys_the_later_holds(
    log: "Log", founder: VaultSession, carols: VaultSession, bobs: VaultSession, change: MakeChange
) -> None:
    """Carol made hers before she saw the founder's. Hers has the higher seq: it throws out the founder."""
    hers = carols.rekey([carols.device.device_id, bobs.device.device_id])
    log.push(founder.rekey([founder.device.device_id, carols.device.device_id, bobs.device.device_id]), hers)
    catch_up(log, bobs, carols)
    assert bobs.keys == carols.keys
    assert len(bobs.keys) == 3
    assert bobs.membership.belonging == {carols.device.device_id, bobs.device.device_id}
    log.push(bobs.seal(change(), 3))
    catch_up(log, carols)
    assert log.entries[-1].envelope.key_id == carols.keys[2].key_id


def test_one_admitted_after_a_rekey_may_not_use_the_old_key(
    log: "Log",
    rotated: VaultSession,
    devices: dict[str, DeviceKey],
    admit: Admit,
    forge: "Forger",
    unchanged: Unchanged,
) -> None:
    late = admit(rotated, devices["rfc8037-a"])
    log.push(forge(late.device, late.head))
    with unchanged(rotated, RotatedOut):
        catch_up(log, rotated)


def test_a_newcomer_reads_a_history_with_rekeys(
    log: "Log", rotated: VaultSession, devices: dict[str, DeviceKey], admit: Admit, change: MakeChange
) -> None:
    """The invitation holds every key; the ring must not take the old one for outdated before the rekey's seq."""
    log.push(rotated.rekey([rotated.device.device_id]))
    catch_up(log, rotated)
    late = admit(rotated, devices["rfc8037-a"])
    assert late.head == log.head
    assert late.keys == rotated.keys
    log.push(late.seal(change(), 3))
    catch_up(log, rotated, late)


def test_one_who_left_may_be_admitted_again(
    log: "Log", rotated: VaultSession, bob: DeviceKey, admit: Admit, change: MakeChange
) -> None:
    again = admit(rotated, bob)
    assert again.belongs
    log.push(again.seal(change(), 3))
    catch_up(log, rotated, again)
    assert rotated.head == log.head


def test_a_newcomer_after_the_founder_left_learns_the_founder_s_key(
    log: "Log", founder: VaultSession, bobs: VaultSession, carol: DeviceKey, unchanged: Unchanged
) -> None:
    log.push(bobs.rekey([bobs.device.device_id]))
    catch_up(log, bobs)
    log.push(bobs.admit(carol.public_key))
    catch_up(log, bobs)
    invitation = Invitation.open(bobs.invite(carol.public_key, "https://relay.example", 1_800_000_000), carol)
    late = VaultSession.join(carol, invitation)
    with unchanged(late, AuthorKeyUnknown) as caught:
        catch_up(log, late)
    assert caught.value.device_id == founder.device.device_id
    late.learn([founder.device.public_key])
    catch_up(log, late)
    assert late.membership.belonging == {bobs.device.device_id, carol.device_id}


def test_a_rekey_admits_nobody(log: "Log", founder: VaultSession, forge: "Forger", bob: DeviceKey) -> None:
    boxes = [piece for key in (founder.device.public_key, bob.public_key) for piece in (key, seal_box(key, b"n" * 32))]
    log.push(forge(founder.device, founder.head, Change("-", "-", "sync-relay/rekey", "-", "-", pae(*boxes))))
    catch_up(log, founder)
    assert founder.membership.belonging == {founder.device.device_id}


@pytest.mark.usefixtures("bobs")
def test_a_rekey_keeps_who_is_named_only(founder: VaultSession, bob: DeviceKey) -> None:
    with pytest.raises(ValueError, match="only devices that belong"):
        founder.rekey([bob.device_id])
    with pytest.raises(ValueError, match="only devices that belong"):
        founder.rekey([founder.device.device_id, "A" * 43])


@pytest.mark.parametrize("secret", [b"", b"short", b"x" * 33])
def test_a_box_without_a_key(
    log: "Log", founder: VaultSession, forge: "Forger", unchanged: Unchanged, secret: bytes
) -> None:
    public_key = founder.device.public_key
    payload = pae(public_key, seal_box(public_key, secret))
    log.push(forge(founder.device, founder.head, Change("-", "-", "sync-relay/rekey", "-", "-", payload)))
    with unchanged(founder, MembershipInvalid):
        catch_up(log, founder)


@pytest.mark.parametrize("shape", ["for another", "cut", "named twice", "without its box"])
def test_a_rekey_of_another_form(
    log: "Log", founder: VaultSession, forge: "Forger", bob: DeviceKey, unchanged: Unchanged, shape: str
) -> None:
    mine = founder.device.public_key
    box = seal_box(mine, b"n" * 32)
    payload = {
        "for another": pae(mine, seal_box(bob.public_key, b"n" * 32)),
        "cut": pae(mine, box[:-1]),
        "named twice": pae(mine, box, mine, box),
        "without its box": pae(mine, box, bob.public_key),
    }[shape]
    log.push(forge(founder.device, founder.head, Change("-", "-", "sync-relay/rekey", "-", "-", payload)))
    with unchanged(founder, MembershipInvalid):
        catch_up(log, founder)


def test_a_rekey_back_to_an_old_key(log: "Log", founder: VaultSession, forge: "Forger", unchanged: Unchanged) -> None:
    """Who left knows the old key: bringing it back would let them in."""
    mine = founder.device.public_key
    payload = pae(mine, seal_box(mine, founder.keys[0].secret))
    log.push(forge(founder.device, founder.head, Change("-", "-", "sync-relay/rekey", "-", "-", payload)))
    with unchanged(founder, MembershipInvalid):
        catch_up(log, founder)


def test_a_rekey_that_contradicts_the_invitation(
    log: "Log", rotated: VaultSession, devices: dict[str, DeviceKey], unchanged: Unchanged, carol: DeviceKey
) -> None:
    """An inviter hands carol a second vault key that the log's rekey does not bring."""
    from dataclasses import replace

    late = devices["rfc8037-a"]
    log.push(rotated.admit(late.public_key))
    catch_up(log, rotated)
    invitation = Invitation.open(rotated.invite(late.public_key, "https://relay.example", 1_800_000_000), late)
    other = replace(invitation, vault_keys=(invitation.vault_keys[0], VaultKey(b"z" * 32)))
    session = VaultSession.join(carol, other)
    with unchanged(session, MembershipInvalid):
        session.open_page(log.page(0))
