"""The log in a SQLite file: each area of the port is a module of its own."""

from pathlib import Path

from relay.adapters.sqlite.changesets import Changesets
from relay.adapters.sqlite.database import BUSY_TIMEOUT_SECONDS, Database, Journal
from relay.adapters.sqlite.members import Members
from relay.adapters.sqlite.snapshots import Snapshots
from relay.adapters.sqlite.vaults import Vaults


class SqliteLog(Members, Vaults, Changesets, Snapshots):
    """`relay.ports.Log` in one file, shared by all threads and processes that open it."""

    def __init__(
        self, path: Path, *, journal: Journal = "wal", busy_timeout_seconds: float = BUSY_TIMEOUT_SECONDS
    ) -> None:
        self._database = Database(
            path, "log", journal=journal, synchronous="FULL", busy_timeout_seconds=busy_timeout_seconds
        )

    def ping(self) -> None:
        """See `Log.ping`."""
        self._database.read(lambda db: db.execute("SELECT 1 FROM vaults LIMIT 1").fetchall())

    def close(self) -> None:
        """Close the file."""
        self._database.close()
