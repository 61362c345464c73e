"""The writes of one SQLite file: a thread at a time, whose commit takes along the work of those that wait."""

import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from threading import Lock
from typing import Any, Generic, TypeVar, cast

from relay.adapters.sqlite.connections import Connections
from relay.adapters.sqlite.transaction import transact_write
from relay.ports import StoreUnavailable

R = TypeVar("R")

MAX_GROUP = 64
"""Works that share a commit: a bound on how long the first of them waits for the others."""


class Writer:
    """One transaction after the other, each on a connection of its own while it lasts.

    A thread that finds none writing leads: it runs its own work and that of all who wait in one transaction, then
    hands the lead on. Each returns after the commit, so that what it wrote is as durable as if it had been alone;
    under load there are fewer commits. `turns` is entered for each transaction.
    """

    def __init__(self, connections: Connections, timeout_seconds: float, turns: AbstractContextManager[None]) -> None:
        self._connections = connections
        self._timeout_seconds = timeout_seconds
        self._turns = turns
        self._mutex = Lock()  # of the two below, and of who leads
        self._waiting: deque[_Turn[Any]] = deque()
        self._is_led = False

    def perform(self, work: Callable[[sqlite3.Connection], R]) -> R:
        """Run `work` in a transaction and return its result once it is on the disk. It may be run more than once.

        Raises what `work` raises, or StoreUnavailable; then nothing of it happened.
        """
        turn = _Turn(work)
        self._join(turn)
        if turn.leads:
            try:
                self._do(self._group())
            finally:
                self._hand_on()
        return turn.result()

    def _join(self, turn: "_Turn[Any]") -> None:
        """Return once the turn leads, or its work was done. Raises StoreUnavailable where neither comes in time."""
        with self._mutex:
            self._waiting.append(turn)
            turn.leads, self._is_led = not self._is_led, True
        if turn.leads or turn.wait(self._timeout_seconds):
            return
        with self._mutex:
            if turn in self._waiting and not turn.leads:
                self._waiting.remove(turn)
                raise StoreUnavailable("locked")
        turn.wait()  # it has just come to lead, or is being done

    def _group(self) -> "list[_Turn[Any]]":
        """Take the turns to do at once: the leader's own is the first."""
        with self._mutex:
            return [self._waiting.popleft() for _ in range(min(len(self._waiting), MAX_GROUP))]

    def _hand_on(self) -> None:
        with self._mutex:
            self._is_led = bool(self._waiting)
            if self._is_led:
                self._waiting[0].leads = True
                self._waiting[0].wake()

    def _do(self, turns: "Sequence[_Turn[Any]]") -> None:
        """Do all in one transaction. Where one is a defect, each gets a transaction of its own."""
        try:
            results = self._commit([turn.work for turn in turns])
        except StoreUnavailable as failure:
            for turn in turns:
                turn.end(StoreUnavailable(failure.reason))
        except BaseException as error:  # noqa: BLE001 -- raised by the thread whose work it is
            if len(turns) == 1:
                turns[0].end(error)
                return
            for turn in turns:
                self._do([turn])
        else:
            for turn, result in zip(turns, results, strict=True):
                turn.end(None, result)

    def _commit(self, works: Sequence[Callable[[sqlite3.Connection], Any]]) -> list[Any]:
        results: list[Any] = []
        with self._turns:
            connection = self._connections.take()
            transact_write(connection, lambda db: results.extend(work(db) for work in works), self._timeout_seconds)
            self._connections.keep(connection)
        return results


class _Turn(Generic[R]):
    """A work on its way through the queue. `leads` is the writer's."""

    def __init__(self, work: Callable[[sqlite3.Connection], R]) -> None:
        self.work = work
        self.leads = False
        self._awake = Lock()
        self._awake.acquire()
        self._error: BaseException | None = None
        self._result: R | None = None

    def wait(self, timeout_seconds: float = -1) -> bool:
        """Wait for `wake`; return whether it came in time."""
        return self._awake.acquire(timeout=timeout_seconds)

    def wake(self) -> None:
        """Let the thread that waits go on."""
        self._awake.release()

    def end(self, error: BaseException | None, result: R | None = None) -> None:
        """Say what became of the work."""
        self._error, self._result = error, result
        if not self.leads:
            self.wake()

    def result(self) -> R:
        """Return what the work returned, or raise what ended it."""
        if self._error is not None:
            raise self._error
        return cast("R", self._result)
