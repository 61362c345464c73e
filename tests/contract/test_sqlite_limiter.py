"""The SQLite limiter keeps the contract, with each journal."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from relay.adapters.sqlite import SqliteLimiter
from relay.ports import Limiter
from tests.contract.limiter_contract import *  # noqa: F403 -- the contract, whole


@pytest.fixture(params=["wal", "delete", "persist"])
def limiter(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Limiter]:
    limiter = SqliteLimiter(tmp_path / "limiter.sqlite3", journal=request.param)
    yield limiter
    limiter.close()
