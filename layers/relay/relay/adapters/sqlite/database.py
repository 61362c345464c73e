"""One SQLite file: its transactions, and what rewrites it."""

import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing, nullcontext
from functools import partial
from typing import TypeVar

from relay.adapters.sqlite.connections import Connections, DatabaseFile
from relay.adapters.sqlite.sharing import Sharing, Spoilt
from relay.adapters.sqlite.transaction import LOCKED, transact_read, transact_write, unavailable
from relay.ports import StoreUnavailable
from relay.turns import Turns

R = TypeVar("R")
W = TypeVar("W")
"""What a write returns: never anything sealed, as the audit sees to."""
T = TypeVar("T")

BUSY_TIMEOUT_SECONDS = 5.0
EMPTY_WAL_TIMEOUT_MS = 200
LONGEST_REST_SECONDS = 0.05
ROWS_A_WRITE = 100
"""Of retention's work: pushes wait for a transaction of so many rows, a few milliseconds, not for a whole step."""
_FILE_SIZE = ("page_count", "page_size")


class Database:
    """Reads and writes of one file, by any number of threads and processes (opened after a fork, not before).

    Writes go a thread at a time. With a rollback journal SQLite keeps reads and commits apart by locks on the file, and
    who finds it locked looks again after up to 100 ms: then reads take their turns with the writes.
    """

    def __init__(self, file: DatabaseFile) -> None:
        self._file = file
        self._connections = Connections(file)
        self._turns = Turns(file.busy_timeout_seconds, LOCKED)
        self._read_turns = nullcontext() if file.journal == "wal" else self._turns
        self._sharing = Sharing()

    def read(self, work: Callable[[sqlite3.Connection], R]) -> R:
        """Return what `work` reads from one consistent view. Raises StoreUnavailable."""
        if self._sharing.is_on:
            return self._sharing.perform(work)
        with self._read_turns:
            connection = self._connections.take()
            result = transact_read(connection, work, self._file.busy_timeout_seconds)
            self._connections.keep(connection)
        return result

    def write(self, work: Callable[[sqlite3.Connection], W]) -> W:
        """Run `work` in one transaction, which is on the disk when this returns; if it raises, nothing happened.

        `work` sees all that was written before, by other processes too; it may be run more than once. Raises
        StoreUnavailable.
        """
        return self._sharing.perform(work) if self._sharing.is_on else self._transact(work)

    def together(self, calls: Sequence[Callable[[], T]]) -> list[T]:
        """See `GroupCommit.together`."""
        try:
            return self._transact(partial(self._sharing.run, calls))
        except StoreUnavailable as failure:
            if failure.reason == LOCKED:  # all have waited, and none waits again
                return self._sharing.fail(calls, failure.reason)
        except Spoilt:
            pass
        return [call() for call in calls]

    def _transact(self, work: Callable[[sqlite3.Connection], W]) -> W:
        results: list[W] = []  # what `transact_write` returns might be sealed, for all that the audit knows
        with self._turns:
            connection = self._connections.take()
            transact_write(connection, lambda db: results.append(work(db)), self._file.busy_timeout_seconds)
            self._connections.keep(connection)
        return results[0]

    def write_and_rest(self, work: Callable[[sqlite3.Connection], W]) -> W:
        """Write, then leave the file alone for as long as that took, at most LONGEST_REST_SECONDS.

        For one of many writes in a row: other processes look at random whether the file is free, and between two writes
        without a rest they would seldom find it so. Raises StoreUnavailable.
        """
        began = time.monotonic()
        result = self.write(work)
        time.sleep(min(time.monotonic() - began, LONGEST_REST_SECONDS))
        return result

    def empty_wal(self) -> None:
        """Move the write-ahead log into the file and empty it, so that no deleted bytes stay there.

        Best effort: a long read, a backup for instance, hinders it.
        """
        if self._file.journal == "wal":
            with closing(self._connections.open()) as connection:
                try:
                    connection.execute(f"PRAGMA busy_timeout = {EMPTY_WAL_TIMEOUT_MS}")
                    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
                except sqlite3.Error as error:
                    raise unavailable(error) from None

    def rewrite(self, max_bytes: int) -> bool:
        """Write the file anew, without any free space; return whether that was done.

        It is not where the file is larger than this, or where the store is locked or has no room for a second file.
        """
        with closing(self._connections.open()) as connection:
            pages, page_bytes = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in _FILE_SIZE)
            if pages * page_bytes > max_bytes:
                return False
            try:
                connection.execute("VACUUM")
            except sqlite3.Error as error:
                failure = unavailable(error)
                if failure.reason in {LOCKED, "disk full"}:
                    return False
                raise failure from None
        self.empty_wal()
        return True

    def close(self) -> None:
        """Close the connections that no thread is using; a later call opens them again."""
        self._connections.close()
