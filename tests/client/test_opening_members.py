"""What a puller refuses: who does not belong, ids that come again, and witnesses of another history."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import pytest

from relay_protocol.chain import Head, genesis
from relay_protocol.encoding import pae
from sync_relay_client import Change, DeviceKey, Envelope, Page, VaultSession
from sync_relay_client.errors import (
    ForkDetected,
    IdRepeated,
    MembershipInvalid,
    WitnessInvalid,
)

if TYPE_CHECKING:
    from tests.client.conftest import Forger, Log

Unchanged = Callable[[VaultSession, type[Exception]], AbstractContextManager[pytest.ExceptionInfo[Any]]]
MakeChange = Callable[..., Change]
Admit = Callable[[VaultSession, DeviceKey], VaultSession]

OTHER_CHAIN = bytes(32)


# ---------------------------------------------------------------- who belongs


def test_one_whom_nobody_admitted(
    log: "Log", founder: VaultSession, unchanged: Unchanged, forge: "Forger", bob: DeviceKey
) -> None:
    """The relay can register a device of its own; without an admit in the log it stays a stranger."""
    log.push(forge(bob, founder.head))
    with unchanged(founder, MembershipInvalid):
        founder.open_page(log.page(0))


def test_one_whose_key_is_known_and_whom_nobody_admitted(
    log: "Log", founder: VaultSession, unchanged: Unchanged, forge: "Forger", bob: DeviceKey
) -> None:
    founder.learn([bob.public_key])
    log.push(forge(bob, founder.head))
    with unchanged(founder, MembershipInvalid):
        founder.open_page(log.page(0))


def test_one_who_admits_itself(
    log: "Log", founder: VaultSession, unchanged: Unchanged, forge: "Forger", bob: DeviceKey
) -> None:
    itself = Change("-", "-", "sync-relay/admit", "-", "-", pae(bob.public_key))
    log.push(forge(bob, founder.head, itself))
    with unchanged(founder, MembershipInvalid):
        founder.open_page(log.page(0))


def test_one_admitted_in_the_same_page(
    log: "Log", founder: VaultSession, forge: "Forger", bob: DeviceKey, carol: DeviceKey
) -> None:
    """Belonging is handed on: the founder admits bob, bob admits carol, all before anyone pulls."""
    witness = founder.head
    bobs = Change("-", "-", "sync-relay/admit", "-", "-", pae(carol.public_key))
    log.push(founder.admit(bob.public_key), forge(bob, witness, bobs), forge(carol, witness))
    assert [one.author for one in founder.open_page(log.page(0))][1:] == [bob.device_id, carol.device_id]
    assert founder.membership.belonging == {one.device_id for one in (founder.device, bob, carol)}


@pytest.mark.parametrize(
    ("operation_type", "payload"),
    [
        ("sync-relay/admit", b""),
        ("sync-relay/admit", pae()),
        ("sync-relay/admit", pae(bytes(32))),
        ("sync-relay/admit", pae(b"k" * 31)),
        ("sync-relay/admit", pae(bytes(32), bytes(32))),
        ("sync-relay/rekey", b""),
        ("sync-relay/rekey", pae()),
        ("sync-relay/rekey", pae(bytes(32), b"box")),
    ],
)
def test_an_admit_or_rekey_of_another_form(
    log: "Log", founder: VaultSession, unchanged: Unchanged, forge: "Forger", operation_type: str, payload: bytes
) -> None:
    log.push(forge(founder.device, founder.head, Change("-", "-", operation_type, "-", "-", payload)))
    with unchanged(founder, MembershipInvalid) as caught:
        founder.open_page(log.page(0))
    assert caught.value.seq == 1


@pytest.mark.parametrize("entity", [("-", "x"), ("x", "-")])
def test_an_admit_of_an_entity(
    log: "Log", founder: VaultSession, unchanged: Unchanged, forge: "Forger", bob: DeviceKey, entity: tuple[str, str]
) -> None:
    log.push(forge(founder.device, founder.head, Change("-", "-", "sync-relay/admit", *entity, pae(bob.public_key))))
    with unchanged(founder, MembershipInvalid):
        founder.open_page(log.page(0))


# ---------------------------------------------------------------- id and witness


def test_an_id_twice_in_a_page(log: "Log", founder: VaultSession, unchanged: Unchanged, change: MakeChange) -> None:
    sealed = founder.seal(change(), 3)
    log.push(sealed, sealed)
    with unchanged(founder, IdRepeated) as caught:
        founder.open_page(log.page(0))
    assert caught.value.seq == 2


def test_a_change_that_the_relay_plays_again_later(
    log: "Log", founder: VaultSession, unchanged: Unchanged, change: MakeChange
) -> None:
    sealed = founder.seal(change(), 3)
    founder.open_page(log.push(sealed).page(0))
    log.push(sealed)
    with unchanged(founder, IdRepeated):
        founder.open_page(log.page(1))


@pytest.mark.parametrize("ahead", [0, 1, 1000])
def test_a_witness_that_does_not_lie_before(
    log: "Log", founder: VaultSession, unchanged: Unchanged, forge: "Forger", ahead: int
) -> None:
    log.push(forge(founder.device, Head(1 + ahead, OTHER_CHAIN)))
    with unchanged(founder, WitnessInvalid):
        founder.open_page(log.page(0))


@pytest.mark.parametrize("seq", [0, 1, 2])
def test_a_witness_of_another_history(
    three: "Log", founder: VaultSession, unchanged: Unchanged, forge: "Forger", seq: int
) -> None:
    three.push(forge(founder.device, Head(seq, OTHER_CHAIN)))
    with unchanged(founder, ForkDetected) as caught:
        founder.open_page(three.page(0))
    assert caught.value.seq == 4


def test_a_relay_that_shows_two_devices_two_histories(
    log: "Log", founder: VaultSession, unchanged: Unchanged, change: MakeChange, bob: DeviceKey, admit: Admit
) -> None:
    """Bob never gets alice's change 2 but another in its place. The next change of either uncovers it."""
    bobs = admit(founder, bob)
    hers, his = [Fork(log), Fork(log)]
    founder.open_page(hers.push(founder.seal(change(payload=b"hers"), 3)).page(1))
    bobs.open_page(his.push(bobs.seal(change(payload=b"his"), 3)).page(1))
    his.push(founder.seal(change(), 3))
    with unchanged(bobs, ForkDetected):
        bobs.open_page(his.page(2))


class Fork:
    """A copy of a log that a dishonest relay goes on with."""

    def __init__(self, log: "Log") -> None:
        self._log = type(log)()
        self._log.vault_id, self._log.head = log.vault_id, genesis(log.vault_id)
        self._log.push(*(entry.envelope for entry in log.entries))

    def push(self, *envelopes: Envelope) -> "Fork":
        self._log.push(*envelopes)
        return self

    def page(self, since: int) -> Page:
        return self._log.page(since)


def test_errors_tell_nothing_that_is_sealed(
    log: "Log", founder: VaultSession, change: MakeChange, forge: "Forger"
) -> None:
    log.push(forge(founder.device, Head(7, OTHER_CHAIN), change(payload=b"canary", entity_id="canary")))
    with pytest.raises(WitnessInvalid) as caught:
        founder.open_page(log.page(0))
    assert "canary" not in repr(caught.value) + str(caught.value)
    assert "canary" not in repr(change(payload=b"canary"))
    assert repr(founder.keys[0].secret) not in repr(founder._trust)
