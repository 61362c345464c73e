"""One SQLite file: its connections, its transactions, and what its errors mean."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Literal, TypeVar

from relay.adapters.sqlite.schema import migrate
from relay.adapters.sqlite.transaction import discard, transact, unavailable
from relay.adapters.sqlite.turns import Turns
from relay.adapters.sqlite.writer import Writer
from relay.ports import StoreUnavailable

R = TypeVar("R")
W = TypeVar("W")
"""What a write returns: never anything sealed, as the audit sees to."""
Journal = Literal["wal", "delete"]

BUSY_TIMEOUT_SECONDS = 5.0
EMPTY_WAL_TIMEOUT_MS = 200
JOURNAL_RETRY_SECONDS = 0.01
CACHED_STATEMENTS = 256
_FILE_SIZE = ("page_count", "page_size")


class Database:
    """Reads and writes of one file, by any number of threads and processes (opened after a fork, not before).

    One connection writes, a thread at a time; each read has one to itself. `journal` is "wal" on a local disk and
    "delete", the rollback journal, on a network file system, where WAL corrupts. Then reads and writes take turns.
    """

    def __init__(
        self,
        path: Path,
        schema: str,
        *,
        journal: Journal,
        synchronous: Literal["FULL", "NORMAL", "OFF"],
        busy_timeout_seconds: float,
    ) -> None:
        self._path = path
        self._schema = schema
        self._journal = journal
        self._synchronous = synchronous
        self._busy_timeout_seconds = busy_timeout_seconds
        self._turns = Turns(busy_timeout_seconds) if journal == "delete" else nullcontext()
        self._writer = Writer(self._open, busy_timeout_seconds, self._turns)
        self._idle_readers: list[sqlite3.Connection] = []

    def read(self, work: Callable[[sqlite3.Connection], R]) -> R:
        """Return what `work` reads from one consistent view. Raises StoreUnavailable."""
        with self._turns:
            try:
                reader = self._idle_readers.pop()
            except IndexError:
                reader = self._open()
            result = transact(reader, "BEGIN", work)
            self._idle_readers.append(reader)
        return result

    def write(self, work: Callable[[sqlite3.Connection], W]) -> W:
        """Run `work` in one transaction, which is on the disk when this returns; if it raises, nothing happened.

        `work` sees all that was written before, by other processes too; it may be run more than once. Raises
        StoreUnavailable.
        """
        return self._writer.perform(work)

    def empty_wal(self) -> None:
        """Move the write-ahead log into the file and empty it, so that no deleted bytes stay there.

        Best effort: a long read, a backup for instance, hinders it.
        """
        if self._journal == "wal":
            with closing(self._open()) as connection:
                try:
                    connection.execute(f"PRAGMA busy_timeout = {EMPTY_WAL_TIMEOUT_MS}")
                    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
                except sqlite3.Error as error:
                    raise unavailable(error) from None

    def rewrite(self, max_bytes: int) -> bool:
        """Write the file anew, without any free space; return whether that was done.

        It is not where the file is larger than this, or where the store is locked or has no room for a second file.
        """
        with closing(self._open()) as connection:
            pages, page_bytes = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in _FILE_SIZE)
            if pages * page_bytes > max_bytes:
                return False
            try:
                connection.execute("VACUUM")
            except sqlite3.Error as error:
                failure = unavailable(error)
                if failure.reason in {"locked", "disk full"}:
                    return False
                raise failure from None
        self.empty_wal()
        return True

    def close(self) -> None:
        """Close the connections that no thread is using; a later call opens them again."""
        self._writer.close()
        readers, self._idle_readers = self._idle_readers, []
        for reader in readers:
            reader.close()

    def _open(self) -> sqlite3.Connection:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(
                self._path,
                timeout=self._busy_timeout_seconds,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=CACHED_STATEMENTS,
            )
        except (OSError, sqlite3.Error):
            raise StoreUnavailable("cannot be opened") from None
        try:
            connection.execute(f"PRAGMA synchronous = {self._synchronous}")
            connection.execute("PRAGMA secure_delete = ON")  # deleted bytes are overwritten, not only forgotten
            self._set_journal(connection)
            migrate(connection, self._schema)
        except BaseException as error:
            discard(connection)
            if isinstance(error, sqlite3.Error):
                raise unavailable(error) from None
            raise
        return connection

    def _set_journal(self, connection: sqlite3.Connection) -> None:
        """Set the journal mode; where several processes open a new file at once, SQLite does not wait by itself."""
        deadline = time.monotonic() + self._busy_timeout_seconds
        while connection.execute("PRAGMA journal_mode").fetchone()[0] != self._journal:
            if time.monotonic() > deadline:
                raise StoreUnavailable("journal mode refused")
            try:
                connection.execute(f"PRAGMA journal_mode = {self._journal}")
            except sqlite3.Error as error:
                if unavailable(error).reason != "locked":
                    raise
                time.sleep(JOURNAL_RETRY_SECONDS)
