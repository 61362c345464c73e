"""Rate limits in a SQLite file of their own, so that a flood of requests does not wait for the log's disk."""

from collections.abc import Callable
from pathlib import Path
from sqlite3 import Connection
from typing import Literal

from relay.adapters.sqlite.connections import DatabaseFile, Journal
from relay.adapters.sqlite.database import BUSY_TIMEOUT_SECONDS, Database
from relay.ports import Quota, Ticket


class SqliteLimiter:
    """`relay.ports.Limiter`, shared by all processes that open the file."""

    def __init__(
        self,
        path: Path,
        *,
        journal: Journal = "wal",
        busy_timeout_seconds: float = BUSY_TIMEOUT_SECONDS,
        prepare: Callable[[], None] | None = None,
    ) -> None:
        """See `DatabaseFile` for what each of these says."""
        # Neither waits for the disk. NORMAL does not with a WAL, and then no loss of power can damage the file.
        synchronous: Literal["NORMAL", "OFF"] = "NORMAL" if journal == "wal" else "OFF"
        self._database = Database(DatabaseFile(path, "limiter", journal, synchronous, busy_timeout_seconds, prepare))

    def take(self, key: bytes, quota: Quota, now_us: int, meanwhile: Callable[[], None] | None = None) -> Ticket:
        """See `Limiter.take`. There is nothing to wait for."""
        del meanwhile

        def work(db: Connection) -> Ticket:
            row = db.execute("SELECT arrival_us FROM arrivals WHERE key = ?", (key,)).fetchone()
            ticket, arrival_us = quota.take(row and row[0], now_us)
            db.execute("INSERT OR REPLACE INTO arrivals VALUES (?, ?)", (key, arrival_us))
            return ticket

        return self._database.write(work)

    def forget(self, now_us: int) -> None:
        """See `Limiter.forget`."""
        self._database.write(lambda db: db.execute("DELETE FROM arrivals WHERE arrival_us <= ?", (now_us,)))

    def close(self) -> None:
        """Close the file."""
        self._database.close()
