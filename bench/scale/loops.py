"""Requests over loopback, closed and open loop, each with when it was answered and how long that took.

In an open loop a request is due at a fixed time, and its latency counts from then, whether or not a connection was free
for it: a stall is seen by all that would have come meanwhile.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from bench.links import Link

Next = Callable[[], bytes]
"""Signs the next request."""


@dataclass
class Answers:
    """Seconds since the beginning at which each was answered, and how long it took."""

    at_seconds: list[float] = field(default_factory=list)
    took_seconds: list[float] = field(default_factory=list)

    def between(self, start_seconds: float, end_seconds: float) -> list[float]:
        """Return how long those took that were asked for in this time."""
        pairs = zip(self.at_seconds, self.took_seconds, strict=True)
        return [took for at, took in pairs if start_seconds <= at - took < end_seconds]


async def closed_loop(port: int, requests: Next, connections: int, ended: asyncio.Event) -> Answers:
    """Send on each connection its next request as the last is answered, until it has ended."""
    answers, began = Answers(), time.perf_counter()

    async def connection() -> None:
        link = await Link.to(port)
        while not ended.is_set():
            request = requests()
            sent = time.perf_counter()
            await link.ask(request)
            now = time.perf_counter()
            answers.at_seconds.append(now - began)
            answers.took_seconds.append(now - sent)
        link.close()

    await asyncio.gather(*(connection() for _ in range(connections)))
    return answers


async def open_loop(port: int, requests: Next, connections: int, ended: asyncio.Event, rate: float) -> Answers:
    """Send `rate` requests a second on as many connections as are free, until it has ended."""
    answers, began = Answers(), time.perf_counter()
    due = _times(began, rate)

    async def connection() -> None:
        link = await Link.to(port)
        while not ended.is_set():
            meant = next(due)
            request = requests()
            await asyncio.sleep(max(0.0, meant - time.perf_counter()))
            await link.ask(request)
            now = time.perf_counter()
            answers.at_seconds.append(now - began)
            answers.took_seconds.append(now - meant)
        link.close()

    await asyncio.gather(*(connection() for _ in range(connections)))
    return answers


def _times(began: float, rate: float) -> Iterator[float]:
    number = 0
    while True:
        yield began + number / rate
        number += 1
