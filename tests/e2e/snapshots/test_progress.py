"""What a progress bar is told: it only rises, and it gets to the end."""

import threading
from pathlib import Path

import pytest

from sync_relay_client import Vault
from tests.e2e.snapshots.conftest import CutOff
from tests.e2e.snapshots.cutting import Cut, CuttingProxy
from tests.e2e.snapshots.transfers import CONTENT, KINDS, MIB, OPTIONS, Kind, send, take


@pytest.fixture
def url(cut_off: CutOff) -> str:
    return cut_off.url


class Bar:
    """Keeps what it was told, and by which thread."""

    def __init__(self) -> None:
        self.told: list[int] = []
        self.sizes: set[int] = set()
        self.threads: set[int] = set()

    def __call__(self, through: int, size: int) -> None:
        self.told.append(through)
        self.sizes.add(size)
        self.threads.add(threading.get_ident())

    def check(self) -> None:
        """See that it rose to the end of one size, in steps that a person sees."""
        (size,) = self.sizes
        assert len(CONTENT) < size < len(CONTENT) + 10_000
        assert self.told == sorted(set(self.told))
        assert self.told[-1] == size
        assert len(self.told) > 10


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cut_after", [None, 2 * MIB], ids=["whole", "cut"])
def test_an_upload_s_progress(proxy: CuttingProxy, sender: Path, kind: Kind, cut_after: int | None) -> None:
    """Nor do the letters, which are sent after it, let it begin anew."""
    proxy.cut = None if cut_after is None else Cut("PUT", "up", cut_after)
    bar = Bar()
    send(sender, kind, progress=bar)
    bar.check()
    assert bar.threads == {threading.get_ident()}, "where the app's own code runs, also the asynchronous one's"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cut_after", [None, 2 * MIB], ids=["whole", "cut"])
def test_a_download_s_progress(
    proxy: CuttingProxy, sender: Path, taker: Path, kind: Kind, cut_after: int | None
) -> None:
    send(sender)
    proxy.cut = None if cut_after is None else Cut("GET", "down", cut_after)
    bar = Bar()
    take(taker, kind, progress=bar)
    bar.check()
    assert bar.threads == {threading.get_ident()}


@pytest.mark.parametrize("kind", KINDS)
def test_a_progress_that_raises_stops_the_transfer(sender: Path, taker: Path, kind: Kind) -> None:
    """As Ctrl-C does. What was sealed waits."""

    def stop(_through: int, _size: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        send(sender, kind, progress=stop)
    with Vault.open(sender, options=OPTIONS) as vault:
        assert vault.status().uploads == 2
        vault.sync()
    assert take(taker) == CONTENT
