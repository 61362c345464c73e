"""What the contracts share. Each backend's test module brings the fixture `log`, `limiter` or `world`."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from relay.ports import Log
from tests.contract.log_world import TestedVault, uuid

REWRITTEN = (
    "blob_worlds",
    "blobs_contract",
    "limiter_contract",
    "log_append_races",
    "log_changesets",
    "log_devices",
    "log_retention",
    "log_snapshots",
    "log_vault_races",
    "log_vaults",
)

pytest.register_assert_rewrite(*(f"tests.contract.{module}" for module in REWRITTEN))


@pytest.fixture
def vault(log: Log) -> TestedVault:
    """A vault of the log under test, with the device "founder" in it."""
    return TestedVault(log, uuid(1)).found()


@pytest.fixture
def other(log: Log) -> TestedVault:
    """A second vault in the same log, of another founder."""
    return TestedVault(log, uuid(2)).found("another founder")


@pytest.fixture
def pushes_each() -> int:
    """How often each thread of a long race pushes: a store in the network takes fewer."""
    return 125


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as threads:
        yield threads
