"""The profile's SQLite file: private, durable, and shared by the processes of one user."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sync_relay_client.errors import ProfileUnavailable
from sync_relay_client.profile.schema import has_tables, prepare

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
        self._is_closed = False
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write: all of it or nothing, on the disk once this ends. Raises ProfileUnavailable."""
        with failures(), self._begun("BEGIN IMMEDIATE"):
            yield self.connection

    @contextmanager
    def shared_transaction(self) -> Iterator[sqlite3.Connection]:
        """Write together with the app: its statements' errors are its own, and roll everything back.

        It can't end the transaction: `with connection:`, `executescript` and `commit` would, and only a crash would
        show that what belongs together is not. Raises ValueError where it tries.
        """
        self._check_open()
        guard = _Guard()
        try:
            self._begin("BEGIN IMMEDIATE")
            self.connection.set_authorizer(guard)
            yield self.connection
        except BaseException as error:
            self.connection.set_authorizer(None)
            self._roll_back()
            if guard.was_interrupted(error):
                raise KeyboardInterrupt from error
            if guard.has_denied and isinstance(error, sqlite3.DatabaseError):
                raise ValueError("the transaction belongs to the inbox or outbox: it must not be ended") from error
            raise
        self.connection.set_authorizer(None)
        with failures():
            self._commit()

    @contextmanager
    def view(self) -> Iterator[sqlite3.Connection]:
        """Read from one consistent state. Raises ProfileUnavailable."""
        with failures(), self._begun("BEGIN"):
            yield self.connection

    def checkpoint(self) -> None:
        """Move what was written to the file itself, as far as readers let it, and empty the write-ahead log."""
        self._roll_back()  # an interrupt may have left one open
        with failures():
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    def close(self) -> None:
        """Close the file."""
        self._is_closed = True
        self.connection.close()

    def _prepare(self) -> None:
        with failures():
            self.connection.execute("PRAGMA journal_mode = WAL").fetchone()
            self.connection.execute("PRAGMA synchronous = FULL")
            self.connection.execute("PRAGMA secure_delete = ON")
        with self.view() as connection:
            is_new = not has_tables(connection)
        with self.transaction() if is_new else self.view() as connection:  # no wait for who is writing
            prepare(connection)

    def _check_open(self) -> None:
        if self._is_closed:
            raise ValueError("the vault was closed")

    def _begin(self, statement: str) -> None:
        with failures():
            self.connection.execute(statement)

    @contextmanager
    def _begun(self, begin: str) -> Iterator[None]:
        self._check_open()
        try:
            self._begin(begin)
            yield
        except BaseException:
            self._roll_back()
            raise
        self._commit()

    def _commit(self) -> None:
        try:
            self.connection.execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise

    def _roll_back(self) -> None:
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")


class _Guard:
    """SQLite's authorizer while the app writes: everything but the transaction's end.

    An interrupt that comes while it runs SQLite takes for a denial, and says nothing more of it.
    """

    def __init__(self) -> None:
        self.has_denied = False

    def was_interrupted(self, error: BaseException) -> bool:
        """Whether an error is a denial that was none of ours."""
        cause = error.__cause__ if isinstance(error, ProfileUnavailable) else error
        denied = (
            isinstance(cause, sqlite3.DatabaseError) and getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_AUTH
        )
        return denied and not self.has_denied

    def __call__(self, action: int, *_: str | None) -> int:
        if action != sqlite3.SQLITE_TRANSACTION:
            return sqlite3.SQLITE_OK
        self.has_denied = True
        return sqlite3.SQLITE_DENY


@contextmanager
def failures() -> Iterator[None]:
    """Turn what SQLite raises into ProfileUnavailable."""
    try:
        yield
    except sqlite3.IntegrityError:
        raise  # a defect of ours
    except sqlite3.DatabaseError as error:
        name = getattr(error, "sqlite_errorname", type(error).__name__)
        raise ProfileUnavailable(f"the profile can't be used: {name}") from error
