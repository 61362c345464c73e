"""The in-memory limiter keeps the contract."""

import pytest

from relay.adapters.memory import MemoryLimiter
from relay.ports import Limiter
from tests.contract.limiter_contract import *  # noqa: F403 -- the contract, whole


@pytest.fixture
def limiter() -> Limiter:
    return MemoryLimiter()
