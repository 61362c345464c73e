"""Asking again: which failures are worth it, how long the pauses are, and the clear word at the end."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import httpx
import pytest

from sync_relay_client import Retry, Vault
from sync_relay_client.errors import AnswerInvalid, RelayRefused, RelayUnreachable
from tests.client.app import applied, change_of, found, pair, record, sync
from tests.client.relay_in_process import RelayInProcess, honest

Answer = Callable[[httpx.Request], httpx.Response]
Failure = httpx.Response | Exception

REFUSALS_FOR_GOOD = [400, 401, 403, 404, 405, 409, 410, 412, 413, 415, 422, 428, 500, 507]
TEMPORARY = [429, 502, 503, 504]


class World:
    """A vault whose pushes fail as they are told to, and the pauses that it makes."""

    def __init__(self, relay: RelayInProcess, home: Path, retry: Retry) -> None:
        self.pauses: list[float] = []
        self.asked = 0
        self._relay = relay
        options = relay.options(retry=retry, sleep=self.pauses.append)
        self.vault = Vault.create(home / "this", relay.url, recovery=False, options=options)
        with pair(self.vault, home / "other", options):
            pass

    def push(self, failures: Sequence[Failure] | Failure) -> None:
        """Push a change; the request fails so often, or always, before the relay gets it."""
        coming = iter(failures) if isinstance(failures, Sequence) else forever(failures)

        def fail(request: httpx.Request, answer: Answer) -> httpx.Response:
            if request.method != "POST":
                return answer(request)
            self.asked += 1
            failure = next(coming, None)
            if isinstance(failure, Exception):
                raise failure
            return failure or answer(request)

        self._relay.meddle = fail
        try:
            self.vault.push(change_of(b"a change"))
        finally:
            self._relay.meddle = honest


def forever(failure: Failure) -> Iterator[Failure]:
    while True:
        yield failure


@pytest.fixture
def world(relay: RelayInProcess, home: Path) -> World:
    return World(relay, home, Retry(max_attempts=6, first_pause_seconds=1, max_pause_seconds=10, draw=lambda: 1.0))


def refusal(status: int, retry_after: str | None = None) -> httpx.Response:
    return httpx.Response(status, headers={} if retry_after is None else {"Retry-After": retry_after})


def test_pauses_double_up_to_the_longest(world: World) -> None:
    with pytest.raises(RelayUnreachable):
        world.push(httpx.ConnectError("no route"))
    assert world.pauses == [1, 2, 4, 8, 10]


def test_the_jitter_is_drawn_from_the_whole_pause(relay: RelayInProcess, home: Path) -> None:
    """Devices that lost their relay at one moment do not come back at one moment."""
    drawn = iter([0.0, 0.25, 0.5])
    world = World(relay, home, Retry(max_attempts=4, first_pause_seconds=1, draw=lambda: next(drawn)))
    with pytest.raises(RelayUnreachable):
        world.push(httpx.ConnectError("no route"))
    assert world.pauses == [0, 0.5, 2]


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("late"),
        httpx.ReadTimeout("late"),
        httpx.WriteError("cut"),
        httpx.ReadError("cut"),
        httpx.RemoteProtocolError("gibberish"),
        httpx.PoolTimeout("busy"),
    ],
)
def test_a_connection_that_fails_is_tried_again(world: World, error: Exception) -> None:
    world.push([error, error])
    assert (world.asked, len(world.pauses)) == (3, 2)
    assert world.vault.status().outbox == 0


@pytest.mark.parametrize("status", TEMPORARY)
def test_what_may_pass_by_itself_is_tried_again(world: World, status: int) -> None:
    world.push([refusal(status), refusal(status)])
    assert world.asked == 3


@pytest.mark.parametrize("status", REFUSALS_FOR_GOOD)
def test_a_refusal_for_good_is_not_tried_again(world: World, status: int) -> None:
    with pytest.raises(RelayRefused) as refused:
        world.push(refusal(status))
    assert (refused.value.status, refused.value.attempts, world.asked, world.pauses) == (status, 1, 1, [])
    assert world.vault.status().outbox == 1


def test_an_answer_that_is_none_is_not_tried_again(world: World) -> None:
    """A hotel's login page answers everything with 200."""
    with pytest.raises(AnswerInvalid):
        world.push(httpx.Response(200, html="<h1>Welcome</h1>"))
    assert world.asked == 1
    assert world.vault.status().outbox == 1


@pytest.mark.parametrize("status", [429, 503])
def test_the_pause_that_the_relay_asks_for_is_made_and_a_little_more(world: World, status: int) -> None:
    world.push([refusal(status, "7"), refusal(status, "0"), refusal(status)])
    assert world.pauses == [8, 2, 4]


@pytest.mark.parametrize("text", ["soon", "-1", "1.5", "Wed, 21 Oct 2026 07:28:00 GMT", "", "9" * 30])
def test_a_pause_that_can_not_be_read_is_our_own(world: World, text: str) -> None:
    world.push([refusal(503, text)])
    assert world.pauses == [1]


def test_too_long_a_pause_is_no_pause_but_the_end(world: World) -> None:
    world.push([refusal(429, "10")])
    with pytest.raises(RelayRefused) as refused:
        world.push(refusal(429, "11"))
    assert (refused.value.retry_after_seconds, refused.value.attempts) == (11, 1)
    assert world.pauses == [11]


def test_the_end_tells_how_often_it_was_tried(world: World) -> None:
    with pytest.raises(RelayUnreachable, match=r"ConnectError.*tried 6 times"):
        world.push(httpx.ConnectError("canary"))
    assert world.asked == 6
    with pytest.raises(RelayRefused, match=r"503.*tried 6 times"):
        world.push(refusal(503))


def test_the_last_failure_is_the_one_that_is_told(world: World) -> None:
    with pytest.raises(RelayRefused) as refused:
        world.push([httpx.ConnectError("no route"), refusal(503), refusal(403)])
    assert (refused.value.status, refused.value.attempts) == (403, 3)


def test_work_that_was_done_and_not_answered_is_not_done_twice(relay: RelayInProcess, world: World, home: Path) -> None:
    def lose(request: httpx.Request, answer: Answer) -> httpx.Response:
        response = answer(request)
        if request.method == "POST" and not lost:
            lost.append(True)
            raise httpx.ReadError("the answer was lost")
        return response

    lost: list[bool] = []
    relay.meddle = lose
    world.vault.push(change_of(b"once"))
    relay.meddle = honest
    with Vault.open(home / "other", options=relay.options()) as other:
        sync(other)
    assert applied(home / "other") == [b"once"]


def test_offline_changes_are_kept_and_catch_up(relay: RelayInProcess, world: World, home: Path) -> None:
    for number in range(3):
        with pytest.raises(RelayUnreachable):
            world.push(httpx.ConnectError("no route"))
        assert world.vault.status().outbox == number + 1
    sync(world.vault)
    assert world.vault.status().outbox == 0
    with Vault.open(home / "other", options=relay.options()) as other:
        sync(other)
    assert applied(home / "other") == [b"a change"] * 3


def test_watching_goes_on_through_bad_times(relay: RelayInProcess, home: Path) -> None:
    """Offline, and at a relay that is overrun, it goes on; what comes after is yielded."""
    times: list[str] = []

    def weather(request: httpx.Request, answer: Answer) -> httpx.Response:
        now = times[0] if times else "fair"
        if now == "offline":
            raise httpx.ConnectError("no route")
        return refusal(503) if now == "overrun" else answer(request)

    rounds: list[float] = []

    def sleep(seconds: float) -> None:
        rounds.append(seconds)
        if seconds == 60:
            times.pop(0)
            if not times:
                other.push(change_of(b"at last"))

    with found(relay, home / "this") as founder, pair(founder, home / "other", relay.options()) as other:
        options = relay.options(retry=Retry(max_attempts=1), sleep=sleep)
        with Vault.open(home / "this", options=options) as this:
            times = ["offline", "overrun", "offline"]
            relay.meddle = weather
            news = next(this.watch(interval_seconds=60))
    assert news.changes == 1
    assert rounds == [60, 60, 60]


def test_watching_tells_what_came_before_the_times_got_bad(relay: RelayInProcess, home: Path) -> None:
    """A pull comes through, the push after it does not: what was pulled is there to be applied."""

    def no_pushing(request: httpx.Request, answer: Answer) -> httpx.Response:
        return refusal(503) if request.method == "POST" else answer(request)

    def sleep(_: float) -> None:
        raise AssertionError("nothing was told")

    options = relay.options(retry=Retry(max_attempts=1), sleep=sleep)
    with found(relay, home / "this") as founder, pair(founder, home / "other", relay.options()) as other:
        other.push(change_of(b"theirs"))
        record(founder, [b"ours"])
        relay.meddle = no_pushing
        with Vault.open(home / "this", options=options) as this:
            assert next(this.watch()).changes == 1


def test_watching_ends_where_the_relay_says_no(relay: RelayInProcess, home: Path) -> None:
    with found(relay, home / "this") as this:
        this.erase()
        with pytest.raises(RelayRefused):
            next(this.watch())


def test_every_request_is_signed_at_the_time_it_is_sent(relay: RelayInProcess, home: Path) -> None:
    """A retry half an hour later would else come with a signature that has expired."""
    this = found(relay, home / "this")

    def late(request: httpx.Request, answer: Answer) -> httpx.Response:
        if request.method == "POST" and not waited:
            waited.append(True)
            relay.clock.advance(1800)
            raise httpx.ReadTimeout("late")
        return answer(request)

    waited: list[bool] = []
    relay.meddle = late
    assert this.push(change_of(b"a change")).changes == 1
