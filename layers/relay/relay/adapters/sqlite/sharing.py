"""Calls of one thread that share a transaction on one SQLite file, and so its commit."""

import sqlite3
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from relay.adapters.sqlite.transaction import unavailable
from relay.ports import StoreUnavailable

R = TypeVar("R")
T = TypeVar("T")


class Spoilt(Exception):
    """A work of a shared transaction raised, half done perhaps: nothing of the transaction may stay."""


class Sharing(threading.local):
    """What this thread shares. `is_on` while it runs calls together; then `perform` does their reads and writes."""

    is_on = False
    _connection: sqlite3.Connection | None = None
    _failure: str | None = None
    _is_spoilt = False

    def run(self, calls: Sequence[Callable[[], T]], connection: sqlite3.Connection) -> list[T]:
        """Run calls in the transaction of a connection. Raises Spoilt, and runs none after the one that did it."""
        self._connection, self._failure = connection, None
        return self._run(calls)

    def fail(self, calls: Sequence[Callable[[], T]], reason: str) -> list[T]:
        """Run calls for which the store is not there, for this reason."""
        self._connection, self._failure = None, reason
        return self._run(calls)

    def _run(self, calls: Sequence[Callable[[], T]]) -> list[T]:
        results = []
        self.is_on, self._is_spoilt = True, False
        try:
            for call in calls:
                results.append(call())
                if self._is_spoilt:
                    raise Spoilt
        finally:
            self.is_on, self._connection = False, None
        return results

    def perform(self, work: Callable[[sqlite3.Connection], R]) -> R:
        """Run a work in the shared transaction. Raises what it raises, or StoreUnavailable."""
        if self._connection is None:
            raise StoreUnavailable(self._failure or "")
        try:
            return work(self._connection)
        except BaseException as error:
            self._is_spoilt = True
            if isinstance(error, sqlite3.Error):
                raise unavailable(error) from None
            raise
