"""The in-memory store of blobs keeps the contract."""

import pytest

from relay.adapters.memory import MemoryBlobs
from tests.contract.blob_worlds import BlobWorld, MemoryBlobWorld
from tests.contract.blobs_contract import *  # noqa: F403 -- the contract, whole


@pytest.fixture
def world() -> BlobWorld:
    return MemoryBlobWorld(MemoryBlobs())
