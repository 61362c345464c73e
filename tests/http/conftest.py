"""The relay that the handler tests talk to, and a vault in it."""

from pathlib import Path

import pytest

from relay.config import Settings
from relay_protocol.limits import Limits
from tests.http.world import Vault, World, open_stores


@pytest.fixture
def store_kind() -> str:
    """Which store the relay uses. A module whose subject is what is stored runs on both."""
    return "memory"


@pytest.fixture
def world(store_kind: str, tmp_path: Path) -> World:
    """A relay without a rate limit, and its world."""
    log, limiter = open_stores(store_kind, tmp_path)
    return World(log, limiter, Settings(limits=Limits(rate_limit=None)))


@pytest.fixture
def vault(world: World) -> Vault:
    """A vault with its founder as the only member."""
    return world.found()
