"""Real threads for the races of the contracts: what they raise is raised by the test, and none is left behind."""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier, Event
from typing import Any, TypeVar

import pytest

from relay.turns import Turns

T = TypeVar("T")

Transaction = Callable[[Callable[[Any], Any]], Any]

GUARD_SECONDS = 60
"""After which a test fails rather than hangs."""
GUARD_TICKS = 10_000
RESTLESS_SECONDS = 1e-5
"""After which a running thread gives way, so that they meet at every step: by default it may go on for 5 ms."""


def at_once(*calls: Callable[[], T]) -> list[T]:
    """Run each call in a thread of its own, from the same moment on; return what they return, in their order."""
    start = Barrier(len(calls))

    def run(call: Callable[[], T]) -> T:
        start.wait(GUARD_SECONDS)
        return call()

    with _restless(), ThreadPoolExecutor(len(calls)) as threads:
        futures = [threads.submit(run, call) for call in calls]
        return [future.result(GUARD_SECONDS) for future in futures]


@contextmanager
def beside(*loops: Callable[[Event], None]) -> Iterator[None]:
    """Run each loop in a thread of its own, beside the block: once that is over, the event tells them to end."""
    ended = Event()
    with ThreadPoolExecutor(len(loops)) as threads:
        futures = [threads.submit(loop, ended) for loop in loops]
        try:
            yield
        finally:
            ended.set()
        for future in futures:
            future.result(GUARD_SECONDS)


class Held:
    """A transaction that is being done until it is let go."""

    def __init__(self, pool: ThreadPoolExecutor, transaction: Transaction) -> None:
        self._started, self._go = Event(), Event()
        self.future: Future[None] = pool.submit(transaction, self._work)
        assert self._started.wait(GUARD_SECONDS)

    def _work(self, _: object) -> None:
        self._started.set()
        assert self._go.wait(GUARD_SECONDS)

    def let_go(self) -> None:
        self._go.set()


def wait_for(turns: Turns, waiting: int) -> None:
    """Return once so many threads wait for their turn."""
    tick = Event()
    for _ in range(GUARD_TICKS):
        if len(turns._waiting) == waiting:
            return
        tick.wait(0.001)
    pytest.fail("they do not wait")


@contextmanager
def _restless() -> Iterator[None]:
    usual_seconds = sys.getswitchinterval()
    sys.setswitchinterval(RESTLESS_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(usual_seconds)
