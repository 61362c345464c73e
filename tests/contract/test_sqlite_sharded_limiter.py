"""The SQLite limiter in several files keeps the contract, with each journal."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from relay.adapters.sqlite import ShardedSqliteLimiter
from relay.ports import Limiter
from tests.contract.limiter_contract import *  # noqa: F403 -- the contract, whole

SHARDS = 4
PATIENCE_SECONDS = 60
"""For a lock that many threads wait for; a request gives up sooner."""


@pytest.fixture(params=["wal", "delete", "persist"])
def limiter(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Limiter]:
    limiter = ShardedSqliteLimiter(tmp_path, SHARDS, journal=request.param, busy_timeout_seconds=PATIENCE_SECONDS)
    yield limiter
    limiter.close()
