"""The embedded stores: SQLite files in the data directory. Nothing is opened before the first call.

`database` holds connections, transactions and errors, `schema` the migrations; `log` is put together from an area
a module.
"""

from relay.adapters.sqlite.limiter import SqliteLimiter
from relay.adapters.sqlite.log import SqliteLog

__all__ = ["SqliteLimiter", "SqliteLog"]
