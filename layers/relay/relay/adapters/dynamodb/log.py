"""The log in a table of DynamoDB: each area of the port is a module of its own."""

import secrets
import time
from collections.abc import Callable
from typing import Any

from relay.adapters.dynamodb.appending import Appending
from relay.adapters.dynamodb.members import Members
from relay.adapters.dynamodb.paging import Paging
from relay.adapters.dynamodb.pruning import Pruning
from relay.adapters.dynamodb.snapshots import Snapshots
from relay.adapters.dynamodb.store import Store
from relay.adapters.dynamodb.sweeping import Sweeping
from relay.adapters.dynamodb.texts import Texts
from relay.adapters.dynamodb.vaults import Vaults
from relay.patience import Patience


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class DynamoLog(Members, Vaults, Appending, Paging, Pruning, Snapshots, Sweeping):
    """`relay.ports.Log`, shared by all processes that use the table."""

    def __init__(
        self,
        client: Any,  # noqa: ANN401 -- botocore has no types
        table: str,
        texts: Texts,
        *,
        now_ms: Callable[[], int] = _now_ms,
        patience: Callable[[float], Patience] = Patience,
    ) -> None:
        self._store = Store(client, table, texts, now_ms, patience)

    def ping(self) -> None:
        """See `Log.ping`. A key that is not there, another each time, so that no partition gets hot."""
        self._store.begin().get({"pk": f"P#{secrets.token_hex(4)}", "sk": "-"})

    def close(self) -> None:
        """Let the threads end."""
        self._store.close()
