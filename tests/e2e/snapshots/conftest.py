"""What the tests of snapshots share: a relay, and two devices of a vault."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.snapshot import pair
from tests.e2e.relays import Relays
from tests.e2e.snapshots.cutting import CuttingProxy
from tools.embedded import EmbeddedRelay


@pytest.fixture(scope="module")
def relay(relays: Relays, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRelay]:
    """One for all tests of a module: each has a vault of its own."""
    with ExitStack() as stack:
        yield relays.start(stack, tmp_path_factory.mktemp("relay"), {"RELAY_RATE_LIMIT": "off"})


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


@dataclass(frozen=True)
class CutOff:
    """A relay and what cuts its blobs' transfers; `url` is where devices reach it."""

    relay: EmbeddedRelay
    proxy: CuttingProxy
    url: str


@pytest.fixture(scope="module")
def cut_off(relays: Relays, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CutOff]:
    """One for all tests of a module that use `proxy`."""
    with CuttingProxy() as proxy, ExitStack() as stack:
        relay, url = relays.start_behind(stack, tmp_path_factory.mktemp("relay"), proxy)
        yield CutOff(relay, proxy, url)


@pytest.fixture
def proxy(cut_off: CutOff) -> CuttingProxy:
    """Return the proxy, which cuts nothing yet."""
    cut_off.proxy.begin_anew()
    return cut_off.proxy
