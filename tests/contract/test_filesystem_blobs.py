"""The store of blobs as files keeps the contract, over the HTTP that its URLs stand for."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from relay.adapters.filesystem import FilesystemBlobs
from tests.contract.blob_worlds import BlobWorld, HttpBlobWorld
from tests.contract.blobs_contract import *  # noqa: F403 -- the contract, whole
from tests.http.served import served
from tests.http.world import SettableClock


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data") / "blobs"


@pytest.fixture(scope="module")
def whole_world(directory: Path) -> Iterator[BlobWorld]:
    """One server for all tests: it takes a while to stop."""
    blobs, clock = FilesystemBlobs(directory, b"k" * 32), SettableClock()
    with served(blobs=blobs, clock=clock) as running, httpx.Client() as client:
        yield HttpBlobWorld(blobs, running.url, clock.us // 1000, client)


@pytest.fixture
def world(directory: Path, whole_world: BlobWorld) -> BlobWorld:
    """An empty store. No upload of an earlier test may have left anything aside."""
    assert list((directory / ".uploads").iterdir()) == []
    for vault in directory.glob("[0-9a-f]*"):
        shutil.rmtree(vault)
    return whole_world
