"""The profile's SQLite file: private, durable, and shared by the processes of one user."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sync_relay_client.errors import ProfileUnavailable
from sync_relay_client.profile.schema import prepare

BUSY_TIMEOUT_SECONDS = 30.0
"""How long to wait while another process writes; an app that applies changes may take a while."""


class Database:
    """One connection. It may be used from any thread, by one at a time. `path` is None for a database in memory."""

    def __init__(self, path: Path | None) -> None:
        try:
            if path is not None and not path.exists():
                os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))  # SQLite would ask the umask
            self.connection = sqlite3.connect(
                ":memory:" if path is None else path,
                timeout=BUSY_TIMEOUT_SECONDS,
                isolation_level=None,
                check_same_thread=False,
            )
        except (OSError, sqlite3.Error) as error:
            raise ProfileUnavailable("the profile can't be opened") from error
        with self._failures():
            self.connection.execute("PRAGMA journal_mode = WAL").fetchone()
            self.connection.execute("PRAGMA synchronous = FULL")
            self.connection.execute("PRAGMA secure_delete = ON")
        with self.transaction() as connection:
            prepare(connection)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write: all of it or nothing, on the disk once this ends. Raises ProfileUnavailable."""
        with self._failures(), self._begun("BEGIN IMMEDIATE"):
            yield self.connection

    @contextmanager
    def shared_transaction(self) -> Iterator[sqlite3.Connection]:
        """Write together with the app: its statements' errors are its own, and roll everything back."""
        with self._failures():
            self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield self.connection
            self._check_still_open()
        except BaseException:
            self._roll_back()
            raise
        try:
            with self._failures():
                self.connection.execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise

    @contextmanager
    def view(self) -> Iterator[sqlite3.Connection]:
        """Read from one consistent state. Raises ProfileUnavailable."""
        with self._failures(), self._begun("BEGIN"):
            yield self.connection

    def close(self) -> None:
        """Close the file."""
        self.connection.close()

    @contextmanager
    def _begun(self, begin: str) -> Iterator[None]:
        self.connection.execute(begin)
        try:
            yield
            self.connection.execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise

    def _check_still_open(self) -> None:
        if not self.connection.in_transaction:
            raise ValueError("the transaction belongs to the inbox or outbox: it must not be ended")

    def _roll_back(self) -> None:
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.IntegrityError:
            raise  # a defect of ours, or an id that the app gave twice
        except sqlite3.DatabaseError as error:
            raise ProfileUnavailable(f"the profile can't be used: {error.sqlite_errorname}") from error
