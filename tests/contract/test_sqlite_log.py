"""The SQLite log keeps the contract, with each journal."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from relay.adapters.sqlite import SqliteLog
from relay.ports import Log
from tests.contract.log_contract import *  # noqa: F403 -- the contract, whole


@pytest.fixture(params=["wal", "delete", "persist"])
def log(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Log]:
    log = SqliteLog(tmp_path / "relay.sqlite3", journal=request.param)
    yield log
    log.close()
