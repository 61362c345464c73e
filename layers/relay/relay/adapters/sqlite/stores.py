"""The stores of a data directory: one file each, or one for each shard."""

from functools import partial
from pathlib import Path

from relay.adapters.sqlite.connections import Journal
from relay.adapters.sqlite.layout import SINGLE, open_single
from relay.adapters.sqlite.limiter import SqliteLimiter
from relay.adapters.sqlite.log import SqliteLog
from relay.adapters.sqlite.sharded_limiter import ShardedSqliteLimiter
from relay.adapters.sqlite.sharded_log import ShardedSqliteLog
from relay.ports import Limiter, Log


def open_stores(data_dir: Path, shards: int, journal: Journal) -> tuple[Log, Limiter]:
    """Return the log and the limiter of a data directory. Nothing is opened, or found wrong, before the first call."""
    if shards > 1:
        return (
            ShardedSqliteLog(data_dir, shards, journal=journal),
            ShardedSqliteLimiter(data_dir, shards, journal=journal),
        )
    return (
        SqliteLog(data_dir / SINGLE, journal=journal, prepare=partial(open_single, data_dir)),
        SqliteLimiter(data_dir / "limiter.sqlite3", journal=journal),
    )
