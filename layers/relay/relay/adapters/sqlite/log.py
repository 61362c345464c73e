"""The log in a SQLite file: each area of the port is a module of its own."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from relay.adapters.sqlite.changesets import Changesets
from relay.adapters.sqlite.connections import DatabaseFile, Journal
from relay.adapters.sqlite.database import BUSY_TIMEOUT_SECONDS, Database
from relay.adapters.sqlite.members import Members
from relay.adapters.sqlite.snapshots import Snapshots
from relay.adapters.sqlite.vaults import Vaults

T = TypeVar("T")


class SqliteLog(Members, Vaults, Changesets, Snapshots):
    """`relay.ports.Log` in one file, shared by all threads and processes that open it; `GroupCommit`, too."""

    def __init__(
        self,
        path: Path,
        *,
        journal: Journal = "wal",
        busy_timeout_seconds: float = BUSY_TIMEOUT_SECONDS,
        prepare: Callable[[], None] | None = None,
        may_create: bool = True,
    ) -> None:
        """See `DatabaseFile` for what each of these says."""
        self._database = Database(DatabaseFile(path, "log", journal, "FULL", busy_timeout_seconds, prepare, may_create))

    def ping(self) -> None:
        """See `Log.ping`."""
        self._database.read(lambda db: db.execute("SELECT 1 FROM vaults LIMIT 1").fetchall())

    def together(self, calls: Sequence[Callable[[], T]]) -> list[T]:
        """See `GroupCommit.together`."""
        return self._database.together(calls)

    def close(self) -> None:
        """Close the file."""
        self._database.close()
