"""A latency that is told too low: the load generator by a clock of its own, against a server that stalls."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from bench.beside.figures import figure_of
from bench.beside.pace import Conversation, Link, Outcome, closed_loop, converse, open_loop
from bench.percentiles import percentile

STALL_SECONDS = 2.0
TAKES_SECONDS = 0.01


class Simulated:
    """A server that answers after a while, one request a connection; nothing is answered while it stalls."""

    def __init__(self, stalls_at: float = float("inf")) -> None:
        self.time, self.stall = 0.0, (stalls_at, stalls_at + STALL_SECONDS)
        self.waits: list[float | None] = []

    def now(self) -> float:
        return self.time

    def done_at(self, sent: float) -> float:
        begun, over = self.stall
        done = sent + TAKES_SECONDS
        return over + TAKES_SECONDS if begun <= done < over else done

    def wait(self, links: Iterable[Link], timeout_seconds: float | None) -> Iterable[Link]:
        self.waits.append(timeout_seconds)
        assert len(self.waits) < 10_000, "it spins"
        busy = [link for link in links if isinstance(link, Fake)]
        first = min((link.done for link in busy), default=float("inf"))
        limit = self.time + (float("inf") if timeout_seconds is None else timeout_seconds)
        assert min(first, limit) < float("inf"), "it would wait for ever"
        self.time = max(self.time, min(first, limit))
        return [link for link in busy if link.done <= self.time]


class Fake:
    """A connection to it."""

    def __init__(self, server: Simulated) -> None:
        self.server, self.done, self.sent = server, 0.0, list[bytes]()

    def send(self, request: bytes) -> None:
        self.sent.append(request)
        self.done = self.server.done_at(self.server.time)

    def receive(self) -> bytes | None:
        return b"answer"


def test_a_stall_counts_for_every_request_that_was_due_while_it_lasted() -> None:
    """With 10 requests a second and 2 s of nothing, 23 requests are late; a closed loop would tell of one."""
    server = Simulated(stalls_at=1.0)
    outcome = open_loop(server, [Fake(server)], [b""] * 100, rate=10)
    delayed = sorted(latency for latency in outcome.latencies if latency > 2 * TAKES_SECONDS)
    late = [STALL_SECONDS + TAKES_SECONDS - number * (0.1 - TAKES_SECONDS) for number in range(23)]
    assert delayed == pytest.approx(
        sorted(late)
    )  # the one that met it, and those that were due until all was caught up
    assert percentile(sorted(outcome.latencies), 50) == pytest.approx(TAKES_SECONDS)


def test_a_closed_loop_tells_of_one_stalled_request_alone() -> None:
    server = Simulated(stalls_at=0.105)
    outcome = closed_loop(server, [Fake(server)], [b""] * 100, most_seconds=60)
    assert sum(latency > 2 * TAKES_SECONDS for latency in outcome.latencies) == 1


def test_an_open_loop_keeps_its_schedule_while_the_server_does() -> None:
    server = Simulated()
    outcome = open_loop(server, [Fake(server), Fake(server)], [b""] * 50, rate=100)
    assert outcome.latencies == pytest.approx([TAKES_SECONDS] * 50)
    assert outcome.seconds == pytest.approx(49 / 100 + TAKES_SECONDS)


def test_an_open_loop_uses_every_connection_in_turn() -> None:
    """One that lies idle for seconds is closed by servers that keep connections for as long."""
    server = Simulated()
    links = [Fake(server) for _ in range(5)]
    open_loop(server, links, [b""] * 50, rate=10)
    assert [len(link.sent) for link in links] == [10] * 5


def test_an_open_loop_does_not_spin_while_all_connections_are_busy() -> None:
    server = Simulated(stalls_at=0.0)
    open_loop(server, [Fake(server)], [b""] * 10, rate=1000)
    assert len(server.waits) == 10


def test_an_overload_is_told_by_latencies_that_grow() -> None:
    """Twice what the server can do: the last of 100 requests was due half a second ago."""
    server = Simulated()
    outcome = open_loop(server, [Fake(server)], [b""] * 100, rate=2 / TAKES_SECONDS)
    assert outcome.rate == pytest.approx(1 / TAKES_SECONDS)
    assert outcome.latencies == sorted(outcome.latencies)
    assert outcome.latencies[-1] == pytest.approx(100 * TAKES_SECONDS - 99 * TAKES_SECONDS / 2)


def test_a_closed_loop_sends_every_request_once() -> None:
    server = Simulated()
    links = [Fake(server) for _ in range(3)]
    requests = [bytes([number]) for number in range(10)]
    outcome = closed_loop(server, links, requests, most_seconds=60)
    assert sorted(sent for link in links for sent in link.sent) == requests
    assert len(outcome.latencies) == 10


def test_a_closed_loop_ends_by_its_time_and_counts_what_was_answered() -> None:
    server = Simulated()
    outcome = closed_loop(server, [Fake(server)], [b""] * 1000, most_seconds=0.5)
    assert 49 <= len(outcome.latencies) <= 51
    assert outcome.seconds == pytest.approx(len(outcome.latencies) * TAKES_SECONDS)


def test_a_conversation_is_timed_from_its_first_request() -> None:
    server = Simulated()

    def conversation() -> Conversation:
        server.time += 1000  # it makes its requests
        assert (yield b"first") == b"answer"
        yield b"second"
        return 7

    link = Fake(server)
    outcome = converse(server, link, conversation())
    assert link.sent == [b"first", b"second"]
    assert outcome.carried == 7
    assert outcome.seconds == pytest.approx(2 * TAKES_SECONDS)


@pytest.mark.parametrize(
    ("count", "percent", "expected"),
    [(100, 50, 50), (100, 99, 99), (101, 99, 100), (1, 99, 1), (3, 50, 2), (1000, 95, 950)],
)
def test_a_percentile_is_a_value_that_was_measured(count: int, percent: float, expected: int) -> None:
    assert percentile(range(1, count + 1), percent) == expected


def test_a_figure_tells_cpu_per_thousand_requests() -> None:
    outcome = Outcome(asked=5, latencies=[0.004, 0.001, 0.002, 0.003], seconds=2.0)
    figure = figure_of("push", "ours", outcome, server_cpu=0.002, own_cpu=0.5, offered=2.5)
    assert (figure.per_second, figure.cpu_seconds_per_1000, figure.generator_cpu_share) == (2.0, 0.5, 0.25)
    assert (figure.p50_ms, figure.p99_ms) == (2.0, 4.0)
    assert (figure.requests, figure.asked) == (4, 5)
    assert (figure.loop, figure.offered_per_second) == ("open", 2.5)


def test_a_whole_is_told_by_its_parts_and_not_where_it_was_not_finished() -> None:
    outcome = Outcome(asked=4, latencies=[0.5] * 4, seconds=2.0)
    figure = figure_of("ingest", "ours", outcome, server_cpu=1.0, own_cpu=0.1)
    assert (figure.as_bulk(4).bulk_seconds, figure.as_bulk(4).bulk_cpu_seconds) == (2.0, 1.0)
    assert (figure.as_bulk(1).bulk_seconds, figure.as_bulk(1).bulk_cpu_seconds) == (0.5, 0.25)
    unfinished = figure_of("ingest", "ours", replace(outcome, asked=5), server_cpu=1.0, own_cpu=0.1)
    assert unfinished.as_bulk(5).bulk_seconds is None
