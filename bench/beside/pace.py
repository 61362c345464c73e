"""When requests are sent, and from when their latency counts.

In a closed loop each connection sends its next request as the answer to its last one is there: that tells what a server
can do at most, and hides how long others would have waited, since a slow answer also delays the requests after it
(coordinated omission). In an open loop each request has its time on a fixed schedule, whatever the server does, and its
latency counts from that time: if every connection is busy then, the wait is part of it.
"""

from collections import deque
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

Conversation = Generator[bytes, bytes, int]
"""Yields requests, each once it was sent the answer to the one before; returns how many changesets were carried."""


class Link(Protocol):
    """A connection that carries one request at a time."""

    def send(self, request: bytes) -> None:
        """Send a request whole."""

    def receive(self) -> bytes | None:
        """Read what is there; return the answer's body once it is whole. Raises `RefusedError` for no success."""


class World(Protocol):
    """The clock, and the sockets that it is waited for with."""

    def now(self) -> float:
        """Return seconds since any fixed time."""

    def wait(self, links: Iterable[Link], timeout_seconds: float | None) -> Iterable[Link]:
        """Return those that have something to read, or none once the time is over."""


@dataclass
class Outcome:
    """What came of a run. Latencies and times are in seconds."""

    asked: int
    """How many requests there were; fewer are answered where the time did not suffice."""
    latencies: list[float] = field(default_factory=list)
    seconds: float = 0.0
    received_bytes: int = 0
    """Of the answers' bodies."""
    carried: int = 0
    """Changesets that a conversation said it carried."""

    @property
    def rate(self) -> float:
        """Answers per second."""
        return len(self.latencies) / self.seconds


def closed_loop(world: World, links: Sequence[Link], requests: Sequence[bytes], most_seconds: float) -> Outcome:
    """Send requests until there are no more, or until the time is over; wait for the last answers."""
    outcome, busy, pending = Outcome(len(requests)), dict[Link, float](), iter(requests)
    began = world.now()

    def send_next(link: Link) -> None:
        if world.now() - began < most_seconds and (request := next(pending, None)) is not None:
            busy[link] = world.now()
            link.send(request)

    for link in links:
        send_next(link)
    while busy:
        for link in world.wait(busy, None):
            if (answer := link.receive()) is not None:
                outcome.latencies.append(world.now() - busy.pop(link))
                outcome.received_bytes += len(answer)
                send_next(link)
    outcome.seconds = world.now() - began
    return outcome


def open_loop(world: World, links: Sequence[Link], requests: Sequence[bytes], rate: float) -> Outcome:
    """Send the request of index i when i / rate seconds have passed, or as soon after that as a connection is free."""
    outcome, busy, idle, sent = Outcome(len(requests)), dict[Link, float](), deque(links), 0
    began = world.now()
    while len(outcome.latencies) < len(requests):
        while sent < len(requests) and idle and (meant := began + sent / rate) <= world.now():
            link = idle.popleft()
            busy[link] = meant
            link.send(requests[sent])
            sent += 1
        may_send = idle and sent < len(requests)
        for link in world.wait(busy, max(0.0, began + sent / rate - world.now()) if may_send else None):
            if (answer := link.receive()) is not None:
                outcome.latencies.append(world.now() - busy.pop(link))
                outcome.received_bytes += len(answer)
                idle.append(link)
    outcome.seconds = world.now() - began
    return outcome


def converse(world: World, link: Link, conversation: Conversation) -> Outcome:
    """Carry a conversation. What it does before its first request is not on the clock."""
    outcome, request = Outcome(1), next(conversation)
    began = world.now()
    while True:
        sent = world.now()
        link.send(request)
        while (answer := next((link.receive() for _ in world.wait([link], None)), None)) is None:
            pass
        outcome.latencies.append(world.now() - sent)
        try:
            request = conversation.send(answer)
        except StopIteration as end:
            outcome.seconds, outcome.carried = world.now() - began, end.value
            return outcome
