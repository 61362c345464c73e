"""One SQLite file: its connections, its transactions, and what its errors mean."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from threading import Lock
from typing import Literal, TypeVar

from relay.adapters.sqlite.schema import migrate
from relay.ports import StoreUnavailable

R = TypeVar("R")
Journal = Literal["wal", "delete"]

BUSY_TIMEOUT_SECONDS = 5.0
EMPTY_WAL_TIMEOUT_MS = 200
JOURNAL_RETRY_SECONDS = 0.01
CACHED_STATEMENTS = 256
_FILE_SIZE = ("page_count", "page_size")

_REASONS = {
    sqlite3.SQLITE_BUSY: "locked",
    sqlite3.SQLITE_LOCKED: "locked",
    sqlite3.SQLITE_PROTOCOL: "locked",
    sqlite3.SQLITE_FULL: "disk full",
    sqlite3.SQLITE_IOERR: "I/O error",
    sqlite3.SQLITE_READONLY: "read-only",
    sqlite3.SQLITE_PERM: "read-only",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened",
    sqlite3.SQLITE_CORRUPT: "damaged",
    sqlite3.SQLITE_NOTADB: "damaged",
}


class Database:
    """Reads and writes of one file, by any number of threads and processes (opened after a fork, not before).

    One connection writes, a thread at a time; each read has one to itself. `journal` is "wal" on a local disk and
    "delete", the rollback journal, on a network file system, where WAL corrupts.
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
        self._writing = Lock()
        self._writer: sqlite3.Connection | None = None
        self._idle_readers: list[sqlite3.Connection] = []

    def read(self, work: Callable[[sqlite3.Connection], R]) -> R:
        """Return what `work` reads from one consistent view. Raises StoreUnavailable."""
        try:
            reader = self._idle_readers.pop()
        except IndexError:
            reader = self._open()
        result = _transact(reader, "BEGIN", work)
        self._idle_readers.append(reader)
        return result

    def write(self, work: Callable[[sqlite3.Connection], R]) -> R:
        """Run `work` in one transaction, which is on the disk when this returns; if it raises, nothing happened.

        `work` sees all that was written before, by other processes too. Raises StoreUnavailable. (It is a function,
        not a block, so that the work of several waiting threads may come to share one commit.)
        """
        if not self._writing.acquire(timeout=self._busy_timeout_seconds):
            raise StoreUnavailable("locked")
        try:
            writer, self._writer = self._writer or self._open(), None
            result = _transact(writer, "BEGIN IMMEDIATE", work)
            self._writer = writer
        finally:
            self._writing.release()
        return result

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
                    raise _unavailable(error) from None

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
                unavailable = _unavailable(error)
                if unavailable.reason in {"locked", "disk full"}:
                    return False
                raise unavailable from None
        self.empty_wal()
        return True

    def close(self) -> None:
        """Close the connections that no thread is using; a later call opens them again."""
        with self._writing:
            writer, self._writer = self._writer, None
        readers, self._idle_readers = self._idle_readers, []
        for connection in readers if writer is None else [*readers, writer]:
            connection.close()

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
            _discard(connection)
            if isinstance(error, sqlite3.Error):
                raise _unavailable(error) from None
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
                if _unavailable(error).reason != "locked":
                    raise
                time.sleep(JOURNAL_RETRY_SECONDS)


def _transact(connection: sqlite3.Connection, begin: str, work: Callable[[sqlite3.Connection], R]) -> R:
    """Run `work` in a transaction. If anything raises it is rolled back, and the connection is closed for good."""
    try:
        connection.execute(begin)
        result = work(connection)
        connection.execute("COMMIT")
    except BaseException as error:
        _discard(connection)
        if isinstance(error, sqlite3.Error):
            raise _unavailable(error) from None
        raise
    return result


def _discard(connection: sqlite3.Connection) -> None:
    """Roll back and close. Closing alone would leave locks while a traceback keeps a statement alive."""
    with suppress(sqlite3.Error):
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    connection.close()


def _unavailable(error: sqlite3.Error) -> StoreUnavailable:
    """Name the error without its message; raise it on where it is a defect of ours, not a state of the store."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None and isinstance(error, sqlite3.OperationalError):
        return StoreUnavailable("damaged")  # a stored text is not UTF-8: the module's own error, it cites the text
    reason = _REASONS.get((code or 0) & 0xFF)
    if reason is None:
        raise error
    return StoreUnavailable(reason)
