"""What the tests of snapshots share: a relay, and two devices of a vault."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.snapshot import pair
from tools.embedded import EmbeddedRelay


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRelay]:
    """One for all tests of a module: each has a vault of its own."""
    with EmbeddedRelay(tmp_path_factory.mktemp("relay"), RELAY_RATE_LIMIT="off") as relay:
        yield relay


@pytest.fixture
def url(relay: EmbeddedRelay) -> str:
    """Return where the devices reach the relay."""
    return relay.url


@pytest.fixture
def devices(url: str, tmp_path: Path) -> tuple[Path, Path]:
    """Return the profiles of two devices."""
    return pair(tmp_path, url)


@pytest.fixture
def sender(devices: tuple[Path, Path]) -> Path:
    return devices[0]


@pytest.fixture
def taker(devices: tuple[Path, Path]) -> Path:
    return devices[1]
