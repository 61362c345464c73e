"""The embedded stores: SQLite files in the data directory. Nothing is opened before the first call.

`connections` opens a file, `database` holds its transactions, `schema` its migrations; `log` is put together from an
area a module. `sharded_log` spreads vaults over several files, which `layout` looks after.
"""

from relay.adapters.sqlite.limiter import SqliteLimiter
from relay.adapters.sqlite.log import SqliteLog
from relay.adapters.sqlite.sharded_limiter import ShardedSqliteLimiter
from relay.adapters.sqlite.sharded_log import ShardedSqliteLog
from relay.adapters.sqlite.stores import open_stores

__all__ = ["ShardedSqliteLimiter", "ShardedSqliteLog", "SqliteLimiter", "SqliteLog", "open_stores"]
