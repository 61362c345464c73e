"""The connections to one SQLite file: how one is opened, and those that nobody is using."""

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from relay.adapters.sqlite.schema import migrate
from relay.adapters.sqlite.transaction import LOCKED, discard, unavailable
from relay.ports import StoreUnavailable

Journal = Literal["wal", "delete", "persist"]
"""A write-ahead log, for a local disk; or a rollback journal, for a network file system, where the former corrupts.

A rollback journal is deleted after each transaction, or stays, emptied. On NFS it should stay: a client may believe for
a minute that a file which others have just made is not there (nfs(5), "lookupcache"), and so would not see the journal
of a process that was killed in the middle of a commit, and read what that commit had written by then.
"""

JOURNAL_RETRY_SECONDS = 0.01
KEPT_JOURNAL_BYTES = 512
"""What stays of a journal that persists: its overwritten header, and nothing of the pages it held. Not nothing, since
SQLite takes an empty journal for none by the length that NFS last told."""
CACHED_STATEMENTS = 256
CACHE_KIB = 512
"""Each connection's, and each thread that reads has one. What is in none, the system has."""


@dataclass(frozen=True, slots=True)
class DatabaseFile:
    """A file, and how it is used. `schema` names its migrations.

    `prepare` is called before each opening, and may raise StoreUnavailable or OSError; by default it makes the folder.
    Without `may_create` it has to have made the file, too.
    """

    path: Path
    schema: Literal["log", "limiter"]
    journal: Journal
    synchronous: Literal["FULL", "NORMAL", "OFF"]
    busy_timeout_seconds: float
    prepare: Callable[[], None] | None = None
    may_create: bool = True


class Connections:
    """Opens connections to a file, and keeps those that are idle. Opens nothing before it is asked for one."""

    def __init__(self, file: DatabaseFile) -> None:
        self._file = file
        self._idle: list[sqlite3.Connection] = []

    def take(self) -> sqlite3.Connection:
        """Return an idle connection, or a new one. What waits for its locks is `Deadline`. Raises StoreUnavailable."""
        try:
            return self._idle.pop()
        except IndexError:
            connection = self.open()
            connection.execute("PRAGMA busy_timeout = 0")
            return connection

    def keep(self, connection: sqlite3.Connection) -> None:
        """Give back a connection that was taken and has no transaction open."""
        self._idle.append(connection)

    def close(self) -> None:
        """Close those that nobody is using; they are opened again when they are needed."""
        idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def open(self) -> sqlite3.Connection:
        """Return a new connection to the file, whose schema is up to date. Raises StoreUnavailable."""
        file = self._file
        try:
            (file.prepare or self._make_folder)()
            connection = sqlite3.connect(
                f"{file.path.absolute().as_uri()}?mode={'rwc' if file.may_create else 'rw'}",
                uri=True,
                timeout=file.busy_timeout_seconds,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=CACHED_STATEMENTS,
            )
        except OSError:
            raise StoreUnavailable("cannot be opened") from None
        except sqlite3.Error as error:
            raise unavailable(error) from None
        try:
            connection.execute(f"PRAGMA synchronous = {file.synchronous}")
            connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
            connection.execute("PRAGMA secure_delete = ON")  # deleted bytes are overwritten, not only forgotten
            if file.journal == "persist":
                connection.execute(f"PRAGMA journal_size_limit = {KEPT_JOURNAL_BYTES}")
            self._set_journal(connection)
            migrate(connection, file.schema)
        except BaseException as error:
            discard(connection)
            if isinstance(error, sqlite3.Error):
                raise unavailable(error) from None
            raise
        return connection

    def _make_folder(self) -> None:
        self._file.path.parent.mkdir(parents=True, exist_ok=True)

    def _set_journal(self, connection: sqlite3.Connection) -> None:
        """Set the journal mode; where several processes open a new file at once, SQLite does not wait by itself."""
        journal, deadline = self._file.journal, time.monotonic() + self._file.busy_timeout_seconds
        while connection.execute("PRAGMA journal_mode").fetchone()[0] != journal:
            if time.monotonic() > deadline:
                raise StoreUnavailable("journal mode refused")
            try:
                connection.execute(f"PRAGMA journal_mode = {journal}")
            except sqlite3.Error as error:
                if unavailable(error).reason != LOCKED:
                    raise
                time.sleep(JOURNAL_RETRY_SECONDS)
