"""URLs and announcements that run out in the midst of a snapshot, at a relay whose clock the test moves."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from sync_relay_client import Vault
from sync_relay_client.errors import RelayUnreachable
from tests.backends import need_built_functions
from tests.e2e.snapshots.clocks import AgingRelay, aging_functions, aging_handlers
from tests.e2e.snapshots.transfers import ATTEMPTS, CONTENT, OPTIONS, spooled, write

UPLOAD, DOWNLOAD = "PUT .*/blobs/.*", "GET .*/blobs/.*"


@pytest.fixture(scope="module")
def relay(
    relay_kind: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[AgingRelay]:
    """A relay whose clock, and that of its stores, the tests put on; each has a vault of its own."""
    folder = tmp_path_factory.mktemp("relay")
    if relay_kind == "embedded":
        with aging_handlers(folder) as relay:
            yield relay
    else:
        need_built_functions()
        with aging_functions(folder, request.getfixturevalue("dynamodb_url")) as relay:
            yield relay


class Aging(httpx.HTTPTransport):
    """Lets time pass before, or after, each of the first requests of a kind; keeps what was asked for."""

    def __init__(self, kind: str, times: int, passes: Callable[[], object], when: str = "before") -> None:
        super().__init__()
        self._kind = re.compile(kind)
        self._when = when
        self._left = times
        self._passes = passes
        self.asked: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        asked = f"{request.method} {request.url.path}"
        self.asked.append(asked)
        is_now = bool(self._left and self._kind.fullmatch(asked))
        self._left -= is_now
        if is_now and self._when == "before":
            self._passes()
        response = super().handle_request(request)
        if is_now and self._when == "after":
            self._passes()
        return response

    def count(self, kind: str) -> int:
        return sum(bool(re.fullmatch(kind, asked)) for asked in self.asked)


@pytest.fixture
def devices(relay: AgingRelay, tmp_path: Path) -> tuple[Path, Path]:
    options = replace(OPTIONS, clock=relay.seconds)
    sender, taker = tmp_path / "sender", tmp_path / "taker"
    request = Vault.request(taker, options=options)
    with Vault.create(sender, relay.url, recovery=False, options=options) as vault:
        invitation = vault.invite(request)
    Vault.join(taker, invitation, options=options).close()
    return sender, taker


def opened(relay: AgingRelay, folder: Path, transport: Aging | None = None) -> Vault:
    return Vault.open(folder, options=replace(OPTIONS, transport=transport, clock=relay.seconds))


def assert_it_can_be_taken(relay: AgingRelay, taker: Path) -> None:
    with opened(relay, taker) as vault:
        assert vault.restore()
        with vault.inbox() as inbox:
            assert inbox.restored is not None
            with inbox.restored.open() as file:
                assert file.read() == CONTENT


def test_an_upload_s_url_runs_out(relay: AgingRelay, devices: tuple[Path, Path]) -> None:
    sender, taker = devices
    aging = Aging(UPLOAD, 2, lambda: relay.advance(relay.limits.url_ttl_seconds + 1))
    with opened(relay, sender, aging) as vault:
        vault.snapshot(write)
    assert aging.count(UPLOAD) == 4, "twice in vain, then the snapshot and the letters"
    assert_it_can_be_taken(relay, taker)


def test_a_download_s_url_runs_out(relay: AgingRelay, devices: tuple[Path, Path]) -> None:
    sender, taker = devices
    with opened(relay, sender) as vault:
        vault.snapshot(write)
    aging = Aging(DOWNLOAD, 2, lambda: relay.advance(relay.limits.url_ttl_seconds + 1))
    with opened(relay, taker, aging) as vault:
        assert vault.restore()
    assert aging.count(DOWNLOAD) == 3


def test_urls_that_always_run_out(relay: AgingRelay, devices: tuple[Path, Path]) -> None:
    """As with a relay whose clock jumps, or a proxy that forgets: it is given up, and kept."""
    sender, _ = devices
    aging = Aging(UPLOAD, 99, lambda: relay.advance(relay.limits.url_ttl_seconds + 1))
    with opened(relay, sender, aging) as vault:
        with pytest.raises(RelayUnreachable, match=f"URL has expired.*tried {ATTEMPTS} times"):
            vault.snapshot(write)
        assert vault.status().uploads == 2


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("is_reaped", [True, False], ids=["reaped", "not reaped yet"])
def test_an_announcement_runs_out(relay: AgingRelay, devices: tuple[Path, Path], when: str, *, is_reaped: bool) -> None:
    """It is announced anew, and sent anew: what the relay had of it is gone."""
    sender, taker = devices

    def passes() -> None:
        relay.advance(relay.limits.upload_ttl_seconds + 1)
        if is_reaped:
            relay.maintain()

    with opened(relay, sender, Aging(UPLOAD, 1, passes, when)) as vault:
        vault.snapshot(write)
        assert vault.status().uploads == 0
        vault_id = vault.status().vault_id
    assert spooled(sender) == []
    relay.maintain()
    assert relay.blobs(vault_id) == 2, "the snapshot and the letters, and no orphan"
    assert_it_can_be_taken(relay, taker)


def test_an_announcement_runs_out_while_the_device_is_off(relay: AgingRelay, devices: tuple[Path, Path]) -> None:
    sender, taker = devices

    def gone() -> None:
        raise httpx.ConnectError("the relay is gone")

    with opened(relay, sender, Aging(UPLOAD, 99, gone)) as vault, pytest.raises(RelayUnreachable):
        vault.snapshot(write)
    relay.advance(relay.limits.upload_ttl_seconds + 1)
    relay.maintain()
    with opened(relay, sender) as vault:
        vault.sync()
        assert vault.status().uploads == 0
    assert_it_can_be_taken(relay, taker)
