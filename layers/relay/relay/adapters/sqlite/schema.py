"""The schema's numbered migrations, `schema/sqlite/<name>/NNNN_*.sql`; `PRAGMA user_version` is the last applied."""

import sqlite3
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from relay.ports import StoreUnavailable

MIGRATIONS = Path(__file__).parent.parent / "migrations"


def migrate(connection: sqlite3.Connection, name: str) -> None:
    """Bring a database up to date, each migration in one transaction; safe if several processes start at once.

    Raises StoreUnavailable for a database of a newer relay: what this one would write there might be wrong.
    """
    migrations = _migrations(name)
    version = _version(connection)
    for number, script in enumerate(migrations[version:], version + 1):
        connection.execute("BEGIN IMMEDIATE")
        if _version(connection) < number:  # else another process was first
            for statement in _statements(script):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")
        connection.execute("COMMIT")
    if version != len(migrations) and _version(connection) > len(migrations):
        raise StoreUnavailable("written by a newer relay")


@cache
def _migrations(name: str) -> Sequence[str]:
    return [path.read_text("utf-8") for path in sorted((MIGRATIONS / name).glob("*.sql"))]


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _statements(script: str) -> Iterator[str]:
    """Split a script: sqlite3's own `executescript` would commit the transaction that is open."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
