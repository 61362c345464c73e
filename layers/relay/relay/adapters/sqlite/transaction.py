"""One transaction on a connection, and what SQLite's errors mean."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TypeVar

from relay.adapters.sqlite.waiting import Deadline
from relay.ports import StoreUnavailable

R = TypeVar("R")

LOCKED = "locked"
"""The reason of a StoreUnavailable that was waited for."""
_TAKE_READ_LOCK = "PRAGMA schema_version"
"""Reads the first page, as every statement that follows: BEGIN alone takes no lock yet."""
_REASONS = {
    sqlite3.SQLITE_BUSY: LOCKED,
    sqlite3.SQLITE_LOCKED: LOCKED,
    sqlite3.SQLITE_PROTOCOL: LOCKED,
    sqlite3.SQLITE_FULL: "disk full",
    sqlite3.SQLITE_IOERR: "I/O error",
    sqlite3.SQLITE_READONLY: "read-only",
    sqlite3.SQLITE_PERM: "read-only",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened",
    sqlite3.SQLITE_CORRUPT: "damaged",
    sqlite3.SQLITE_NOTADB: "damaged",
}


def transact_read(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], R], timeout_seconds: float) -> R:
    """Run `work`, which only reads, in a transaction. If anything raises, the connection is closed for good."""
    return _transact(connection, ("BEGIN", _TAKE_READ_LOCK), work, timeout_seconds)


def transact_write(
    connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], R], timeout_seconds: float
) -> R:
    """Run `work` in a transaction. If anything raises it is rolled back, and the connection is closed for good."""
    return _transact(connection, ("BEGIN IMMEDIATE",), work, timeout_seconds)


def _transact(
    connection: sqlite3.Connection,
    begin: Sequence[str],
    work: Callable[[sqlite3.Connection], R],
    timeout_seconds: float,
) -> R:
    deadline = Deadline(timeout_seconds)
    try:
        for statement in begin:
            deadline.patiently(partial(connection.execute, statement))
        result = work(connection)
        deadline.patiently(partial(connection.execute, "COMMIT"))
    except BaseException as error:
        discard(connection)
        if isinstance(error, sqlite3.Error):
            raise unavailable(error) from None
        raise
    return result


def discard(connection: sqlite3.Connection) -> None:
    """Roll back and close. Closing alone would leave locks while a traceback keeps a statement alive."""
    with suppress(sqlite3.Error):
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    connection.close()


def unavailable(error: sqlite3.Error) -> StoreUnavailable:
    """Name the error without its message; raise it on where it is a defect of ours, not a state of the store."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None and isinstance(error, sqlite3.OperationalError):
        return StoreUnavailable("damaged")  # a stored text is not UTF-8: the module's own error, it cites the text
    reason = _REASONS.get((code or 0) & 0xFF)
    if reason is None:
        raise error
    return StoreUnavailable(reason)
