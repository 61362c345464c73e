"""Transfers of snapshots that are cut: they begin again by themselves, and give up without a trace."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from sync_relay_client import Vault
from sync_relay_client.errors import RelayUnreachable
from tests.e2e.snapshots.conftest import CutOff
from tests.e2e.snapshots.cutting import ALWAYS, Cut, CuttingProxy
from tests.e2e.snapshots.transfers import ATTEMPTS, CONTENT, KINDS, MIB, OPTIONS, Kind, send, spooled, take, write
from tools.embedded import EmbeddedRelay

VAULT = re.compile(r"[0-9a-f-]{36}/")
WHOLE = len(CONTENT)
PLACES = [0, 100, MIB, WHOLE]
"""Nothing arrived; the head, cut; a third; all but the last bytes."""


@pytest.fixture(scope="module")
def relay(cut_off: CutOff) -> EmbeddedRelay:
    return cut_off.relay


@pytest.fixture
def url(cut_off: CutOff) -> str:
    return cut_off.url


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("after_bytes", PLACES)
def test_an_upload_that_was_cut_begins_again(
    proxy: CuttingProxy, sender: Path, taker: Path, kind: Kind, after_bytes: int
) -> None:
    proxy.cut = Cut("PUT", "up", after_bytes, times=2)
    send(sender, kind)
    assert proxy.cut.times == 0
    assert spooled(sender) == []
    assert take(taker) == CONTENT


@pytest.mark.parametrize("kind", KINDS)
def test_an_upload_whose_answer_was_lost_is_not_sent_again(
    proxy: CuttingProxy, sender: Path, taker: Path, kind: Kind
) -> None:
    """A gigabyte that arrived need not travel twice."""
    proxy.cut = Cut("PUT", "down", 0)
    send(sender, kind)
    assert proxy.transfers == ["PUT", "PUT"], "the snapshot, and the letters beside it"
    assert take(taker) == CONTENT


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("after_bytes", [0, MIB])
def test_an_upload_that_never_comes_through_waits_for_the_next_sync(
    proxy: CuttingProxy, sender: Path, taker: Path, kind: Kind, after_bytes: int
) -> None:
    proxy.cut = Cut("PUT", "up", after_bytes, times=ALWAYS)
    with pytest.raises(RelayUnreachable, match=f"tried {ATTEMPTS} times"):
        send(sender, kind)
    assert spooled(sender) == ["letters", "upload"], "sealed, and nothing in the clear"
    proxy.cut = None
    with Vault.open(sender, options=OPTIONS) as vault:
        assert vault.status().uploads == 2
        vault.sync()
        assert vault.status().uploads == 0
    assert spooled(sender) == []
    assert take(taker) == CONTENT


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("after_bytes", PLACES)
def test_a_download_that_was_cut_begins_again(
    proxy: CuttingProxy, sender: Path, taker: Path, kind: Kind, after_bytes: int
) -> None:
    send(sender)
    proxy.cut = Cut("GET", "down", after_bytes, times=2)
    assert take(taker, kind) == CONTENT
    assert proxy.cut.times == 0
    assert spooled(taker) == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("after_bytes", [0, MIB])
def test_a_download_that_never_comes_through_changes_nothing(
    proxy: CuttingProxy, sender: Path, taker: Path, kind: Kind, after_bytes: int
) -> None:
    send(sender)
    proxy.cut = Cut("GET", "down", after_bytes, times=ALWAYS)
    with pytest.raises(RelayUnreachable, match=f"tried {ATTEMPTS} times"):
        take(taker, kind)
    assert spooled(taker) == []
    with Vault.open(taker, options=OPTIONS) as vault, vault.inbox() as inbox:
        assert inbox.restored is None
    assert vault_head_seq(taker) == 0
    proxy.cut = None
    assert take(taker) == CONTENT


def test_how_often_it_is_tried_does_not_multiply(proxy: CuttingProxy, sender: Path, relay: EmbeddedRelay) -> None:
    """A relay that is gone in the midst of an upload is asked as often as one that was never there."""
    pauses: list[float] = []
    options = replace(OPTIONS, sleep=pauses.append)

    def go_down() -> None:
        proxy.is_down = True
        relay.kill()

    proxy.cut = Cut("PUT", "up", MIB, meanwhile=go_down)
    with Vault.open(sender, options=options) as vault, pytest.raises(RelayUnreachable, match=f"tried {ATTEMPTS} times"):
        vault.snapshot(write)
    assert len(pauses) == ATTEMPTS - 1
    relay.start()


@pytest.mark.parametrize("kind", KINDS)
def test_a_relay_that_dies_in_the_midst_of_an_upload(
    proxy: CuttingProxy, relay: EmbeddedRelay, sender: Path, taker: Path, kind: Kind
) -> None:
    proxy.cut = Cut("PUT", "up", MIB, meanwhile=lambda: restart(relay))
    send(sender, kind)
    assert take(taker) == CONTENT
    relay.maintain()
    left = [name for name in relay.holdings.blobs() if not VAULT.match(name)]
    assert left == [], "what the killed relay had received is gone"


@pytest.mark.parametrize("kind", KINDS)
def test_a_relay_that_dies_in_the_midst_of_a_download(
    proxy: CuttingProxy, relay: EmbeddedRelay, sender: Path, taker: Path, kind: Kind
) -> None:
    send(sender)
    proxy.cut = Cut("GET", "down", MIB, meanwhile=lambda: restart(relay))
    assert take(taker, kind) == CONTENT


def restart(relay: EmbeddedRelay) -> None:
    relay.kill()
    relay.start()


def vault_head_seq(folder: Path) -> int:
    with Vault.open(folder, options=OPTIONS) as vault:
        return vault.head.seq
