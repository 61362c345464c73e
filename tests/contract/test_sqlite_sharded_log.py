"""The SQLite log in several files keeps the contract, with each journal: its vaults lie in different ones."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from relay.adapters.sqlite import ShardedSqliteLog
from relay.ports import Log
from tests.contract.log_contract import *  # noqa: F403 -- the contract, whole

SHARDS = 4


@pytest.fixture(params=["wal", "delete", "persist"])
def log(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Log]:
    log = ShardedSqliteLog(tmp_path, SHARDS, journal=request.param)
    yield log
    log.close()
