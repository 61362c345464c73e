"""Rotating and revoking through a vault: who stays goes on by itself, who leaves reads and writes no more."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from sync_relay_client import DeviceKey, Vault
from sync_relay_client.errors import InvitationInvalid, KeyUnknown, RelayRefused, RotatedOut
from tests.client.app import applied, change_of, found, pair, record, sync, write
from tests.client.relay_in_process import RelayInProcess, honest

Answer = Callable[[httpx.Request], httpx.Response]


class Three:
    """Three devices of a vault, at its head."""

    def __init__(self, stack: ExitStack, relay: RelayInProcess, home: Path) -> None:
        self.relay = relay
        self.home = home
        self.this = stack.enter_context(found(relay, home / "this"))
        self.other = stack.enter_context(pair(self.this, home / "other", relay.options()))
        self.third = stack.enter_context(pair(self.this, home / "third", relay.options()))
        record(self.this, [b"before"])
        for vault in (self.this, self.other, self.third):
            sync(vault)

    def applied(self, name: str) -> list[bytes]:
        return applied(self.home / name)

    def interrupt(self, method: str, path: str, work: Callable[[], object]) -> None:
        """Do something else just before the first such request comes to the relay."""
        pending = [work]

        def meddle(request: httpx.Request, answer: Answer) -> httpx.Response:
            if request.method == method and path in request.url.path and pending:
                pending.pop()()
            return answer(request)

        self.relay.meddle = meddle


@pytest.fixture
def three(relay: RelayInProcess, home: Path) -> Iterator[Three]:
    with ExitStack() as stack:
        yield Three(stack, relay, home)


def keys_of(vault: Vault) -> int:
    with vault._profile.view() as view:
        return len(view.session().keys)


# ---------------------------------------------------------------- who stays


def test_all_who_stay_go_on_under_the_new_key(three: Three) -> None:
    three.this.rotate()
    for vault in (three.other, three.third, three.this):
        record(vault, [vault.device_id.encode()])
        sync(vault)
    for vault in (three.this, three.other, three.third):
        sync(vault)
        assert keys_of(vault) == 2
    assert three.applied("this") == three.applied("other") == three.applied("third")
    assert len(three.applied("this")) == 4


def test_what_was_sealed_under_the_old_key_and_sent_after_the_rekey_is_taken(three: Three) -> None:
    """A device offline while the key was rotated: its changes are sealed, and their answer was lost."""
    refuse(three.relay, "POST")
    with pytest.raises(RelayRefused):
        three.other.push(change_of(b"sealed before"))
    three.relay.meddle = honest
    three.this.rotate()
    three.other.push()
    sync(three.this)
    assert three.applied("this") == [b"before", b"sealed before"]


def refuse(relay: RelayInProcess, method: str) -> None:
    relay.meddle = lambda request, answer: httpx.Response(500) if request.method == method else answer(request)


def test_a_rekey_waits_for_who_was_just_admitted(three: Three) -> None:
    """Another device admits a fourth one between the pull and the rekey: the rekey is made anew, and names it."""
    options = three.relay.options()
    request = Vault.request(three.home / "fourth", options=options)
    codes: list[str] = []
    three.interrupt("POST", "/changesets", lambda: codes.append(three.other.invite(request)))
    three.this.rotate()
    with Vault.join(three.home / "fourth", codes[0], options=options) as fourth:
        sync(fourth)
        assert fourth.status().belongs
        assert keys_of(fourth) == 2
        record(fourth, [b"from the fourth"])
        sync(fourth)
    sync(three.this)
    assert three.applied("this") == [b"before", b"from the fourth"]


def test_a_rekey_whose_answer_is_lost_is_no_second_one(three: Three) -> None:
    def lose(request: httpx.Request, answer: Answer) -> httpx.Response:
        response = answer(request)
        if request.method == "POST" and not lost:
            lost.append(True)
            raise httpx.ReadError("lost")
        return response

    lost: list[bool] = []
    three.relay.meddle = lose
    three.this.rotate()
    assert (lost, keys_of(three.this)) == ([True], 2)


def test_many_rotations_leave_the_history_readable(three: Three) -> None:
    for number in range(4):
        vault = (three.this, three.other)[number % 2]
        sync(vault)
        vault.rotate()
        record(vault, [b"under key %d" % number])
        sync(vault)
    with pair(three.this, three.home / "new", three.relay.options()) as new:
        sync(new)
        assert applied(three.home / "new") == [b"before", *(b"under key %d" % number for number in range(4))]


# ---------------------------------------------------------------- who leaves


def test_a_revoked_device_gets_nothing_that_comes_after(three: Three) -> None:
    three.this.revoke(three.third.device_id)
    record(three.this, [b"after"])
    sync(three.this)
    for attempt in (
        three.third.sync,
        three.third.restore,
        three.third.devices,
        lambda: three.third.push(change_of(b"x")),
    ):
        with pytest.raises(RelayRefused) as refused:
            attempt()
        assert refused.value.code == "device_revoked"
    sync(three.other)
    assert three.applied("other") == [b"before", b"after"]


def test_a_revoked_device_gets_nothing_from_a_relay_that_colludes(three: Three) -> None:
    """The relay hands it all that there is: it holds no key for it, and what it writes nobody takes."""
    three.relay.meddle = pretend_to_revoke
    three.this.revoke(three.third.device_id)
    record(three.this, [b"after"])
    sync(three.this)
    three.this.snapshot(write)
    with pytest.raises(KeyUnknown):
        three.third.pull()
    three.relay.prune()
    with pytest.raises(KeyUnknown):
        three.third.pull()
    assert three.applied("third") == [b"before"]


def test_a_device_that_knows_it_left_writes_nothing(three: Three) -> None:
    three.relay.meddle = pretend_to_revoke
    three.this.revoke(three.third.device_id)
    three.third.pull()
    assert not three.third.status().belongs
    for attempt in (three.third.sync, three.third.rotate, lambda: three.third.snapshot(write)):
        with three.third.outbox() as outbox:
            outbox.add(change_of(b"too late"))
        with pytest.raises(RotatedOut):
            attempt()
    sync(three.other)
    assert three.applied("other") == [b"before"]


def pretend_to_revoke(request: httpx.Request, answer: Answer) -> httpx.Response:
    return httpx.Response(204) if request.method == "DELETE" else answer(request)


def test_a_revoked_device_is_not_let_in_again_by_its_old_invitation(relay: RelayInProcess, home: Path) -> None:
    with found(relay, home / "this") as this:
        code = this.invite(Vault.request(home / "third", options=relay.options()))
        with Vault.join(home / "third", code, options=relay.options()) as third:
            this.revoke(third.device_id)
        with pytest.raises(RelayRefused) as refused:
            Vault.join(home / "third", code, options=relay.options())
        assert refused.value.code == "device_revoked"


def test_a_revoked_device_is_not_invited_again(relay: RelayInProcess, home: Path) -> None:
    """No relay takes it back, but the log would say that it belongs, and the next rekey would bring it the key."""
    with found(relay, home / "this") as this:
        request = Vault.request(home / "third", options=relay.options())
        with Vault.join(home / "third", this.invite(request), options=relay.options()) as third:
            this.revoke(third.device_id)
        with pytest.raises(InvitationInvalid):
            this.invite(request)
        assert [device.belongs for device in this.devices()] == [True, False]


@pytest.mark.parametrize("text", ["", "A", "A" * 42 + "é", "../" + "A" * 40])
def test_an_id_that_is_none_is_told_and_not_begun(three: Three, text: str) -> None:
    """Else each sync from now on would stumble over it."""
    with pytest.raises(ValueError, match="base64url"):
        three.this.revoke(text)
    assert three.this.status().revoking == 0
    sync(three.this)


def test_a_device_that_never_came_is_revoked_all_the_same(three: Three) -> None:
    """It was admitted in the log, and never took its invitation; or it is a stranger."""
    invited = Vault.request(three.home / "never", options=three.relay.options())
    three.this.invite(invited)
    keys = keys_of(three.this)
    with_invited = {one.device_id for one in three.this.devices() if one.belongs}
    (never,) = with_invited - {three.this.device_id, three.other.device_id, three.third.device_id}
    for device_id, rekeys in ((never, 1), (DeviceKey.generate().device_id, 0), (never, 0)):
        before = keys_of(three.this)
        three.this.revoke(device_id)
        assert keys_of(three.this) - before == rekeys
        assert three.this.status().revoking == 0
    assert keys_of(three.this) == keys + 1


def test_a_device_does_not_revoke_itself(three: Three) -> None:
    with pytest.raises(ValueError, match="itself"):
        three.this.revoke(three.this.device_id)
    assert three.this.status().revoking == 0


def test_what_was_begun_is_finished_by_syncing(three: Three) -> None:
    refuse(three.relay, "DELETE")
    with pytest.raises(RelayRefused):
        three.this.revoke(three.third.device_id)
    assert three.this.status().revoking == 1
    three.relay.meddle = honest
    sync(three.this)
    assert three.this.status().revoking == 0
    with pytest.raises(RelayRefused):
        three.third.sync()


# ---------------------------------------------------------------- two at once


def test_two_devices_that_revoke_a_third_at_once(three: Three) -> None:
    third = three.third.device_id
    three.interrupt("POST", "/changesets", lambda: three.other.revoke(third))
    three.this.revoke(third)
    for vault in (three.this, three.other):
        record(vault, [b"after"])
        sync(vault)
    sync(three.this)
    assert (keys_of(three.this), keys_of(three.other)) == (2, 2), "one rekey is enough"
    assert three.this.status().revoking == three.other.status().revoking == 0
    assert three.this.head == three.other.head


def test_two_devices_that_revoke_two_others_at_once(three: Three) -> None:
    with pair(three.this, three.home / "fourth", three.relay.options()) as fourth:
        three.other.sync()
        fourth_id = fourth.device_id
    three.interrupt("POST", "/changesets", lambda: three.other.revoke(fourth_id))
    three.this.revoke(three.third.device_id)
    three.other.sync()
    belonging = {one.device_id for one in three.other.devices() if one.belongs}
    assert belonging == {three.this.device_id, three.other.device_id}
    assert three.this.head == three.other.head


def test_two_devices_that_revoke_each_other_at_once(three: Three) -> None:
    """Whose rekey comes first stays. The other one hears of it, and the vault goes on."""
    this_id = three.this.device_id
    three.interrupt("POST", "/changesets", lambda: three.other.revoke(this_id))
    with pytest.raises(RelayRefused) as refused:
        three.this.revoke(three.other.device_id)
    assert refused.value.code == "device_revoked"
    record(three.other, [b"after"])
    for vault in (three.other, three.third):
        sync(vault)
    assert three.applied("third") == [b"before", b"after"]


def test_two_rekeys_at_once_where_the_relay_is_slow_to_revoke(three: Three) -> None:
    this_id = three.this.device_id

    def revoke_half() -> None:
        refuse(three.relay, "DELETE")
        with pytest.raises(RelayRefused):
            three.other.revoke(this_id)
        three.relay.meddle = honest

    three.interrupt("POST", "/changesets", revoke_half)
    with pytest.raises(RotatedOut):
        three.this.revoke(three.other.device_id)
    sync(three.other)
    sync(three.third)
    assert {one.device_id for one in three.third.devices() if one.belongs} == {
        three.other.device_id,
        three.third.device_id,
    }


# ---------------------------------------------------------------- letters


def away(three: Three) -> None:
    """Rotate twice, leave a snapshot, and prune, while the third device is away; it has a change to send."""
    record(three.third, [b"written while away"])
    for _ in range(2):
        three.this.rotate()
    record(three.this, [b"while it was away"])
    sync(three.this)
    three.this.snapshot(write)
    three.relay.prune()
    record(three.this, [b"after the snapshot"])
    sync(three.this)


ALL = [b"before", b"while it was away", b"after the snapshot", b"written while away"]


def test_a_device_that_was_away_comes_back_by_itself(three: Three) -> None:
    away(three)
    for vault in (three.third, three.this):
        sync(vault)
    assert three.applied("third") == three.applied("this") == ALL
    assert keys_of(three.third) == 3


def without_letters(request: httpx.Request, answer: Answer) -> httpx.Response:
    response = answer(request)
    if request.method == "GET" and request.url.path.endswith("/snapshots"):
        return httpx.Response(200, json=response.json() | {"snapshots": []})
    return response


def test_without_a_letter_a_new_invitation_brings_it_back(three: Three) -> None:
    away(three)
    three.relay.meddle = without_letters
    before = three.third.status()
    with pytest.raises(KeyUnknown, match="invitation"):
        three.third.sync()
    assert three.third.status() == before
    options = three.relay.options()
    code = three.this.invite(Vault.request(three.home / "third", options=options))
    with Vault.join(three.home / "third", code, options=options) as third:
        sync(third)
    sync(three.this)
    assert three.applied("third") == three.applied("this") == ALL


def test_letters_of_whom_it_does_not_know_are_passed_over(three: Three) -> None:
    """They cover nothing and are under the first key, like those of a device that it trusts; but who is the writer?"""
    with pair(three.this, three.home / "unknown", three.relay.options()) as unknown:
        record(three.third, [b"written while away"])
        sync(unknown)
        unknown.rotate()
        sync(unknown)
        unknown.snapshot(write)
        three.relay.prune()
    with pytest.raises(KeyUnknown):
        three.third.sync()
    sync(three.this)
    three.this.snapshot(write)
    sync(three.third)
    assert three.applied("third") == [b"before", b"written while away"]


def test_something_else_where_letters_are_is_passed_over(three: Three) -> None:
    """Another program's snapshot that covers nothing, or a relay that cheats: the next letters will do."""
    away(three)

    def tamper(request: httpx.Request, answer: Answer) -> httpx.Response:
        response = answer(request)
        if request.method == "GET" and request.url.path.endswith("/snapshots"):
            listed = response.json()
            (letters,) = [one for one in listed["snapshots"] if one["covers"]["seq"] == 0]
            (snapshot,) = [one for one in listed["snapshots"] if one["covers"]["seq"] != 0]
            as_letters = letters | {name: snapshot[name] for name in ("sha256", "size")}
            return httpx.Response(200, json=listed | {"snapshots": [as_letters, snapshot, letters]})
        return response

    three.relay.meddle = tamper
    sync(three.third)
    assert three.applied("third")[:3] == ALL[:3]
