"""Rate limits in several files of one data directory, beside the log's. Losing one forgets who has used how much."""

from collections.abc import Callable
from pathlib import Path

from relay.adapters.sqlite.connections import Journal
from relay.adapters.sqlite.layout import shard_of
from relay.adapters.sqlite.limiter import SqliteLimiter
from relay.ports import Quota, StoreUnavailable, Ticket

TIMEOUT_SECONDS = 0.5
"""How long a request waits to be counted; then it passes uncounted."""


class ShardedSqliteLimiter:
    """`relay.ports.Limiter`, shared by all processes that open the files."""

    def __init__(
        self, data_dir: Path, shards: int, *, journal: Journal = "wal", busy_timeout_seconds: float = TIMEOUT_SECONDS
    ) -> None:
        def prepare() -> None:
            if not data_dir.is_dir():
                raise StoreUnavailable("data directory missing")

        self._shards = [
            SqliteLimiter(
                data_dir / f"limiter-{number:02}.sqlite3",
                journal=journal,
                busy_timeout_seconds=busy_timeout_seconds,
                prepare=prepare,
            )
            for number in range(shards)
        ]

    def take(self, key: bytes, quota: Quota, now_us: int, meanwhile: Callable[[], None] | None = None) -> Ticket:
        """See `Limiter.take`."""
        return self._shards[shard_of(key, len(self._shards))].take(key, quota, now_us, meanwhile)

    def forget(self, now_us: int) -> None:
        """See `Limiter.forget`."""
        for shard in self._shards:
            shard.forget(now_us)

    def close(self) -> None:
        """Close the files."""
        for shard in self._shards:
            shard.close()
