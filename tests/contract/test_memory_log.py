"""The in-memory log keeps the contract."""

import pytest

from relay.adapters.memory import MemoryLog
from relay.ports import Log
from tests.contract.log_contract import *  # noqa: F403 -- the contract, whole


@pytest.fixture
def log() -> Log:
    return MemoryLog()
