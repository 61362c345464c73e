"""What an app syncs reaches the relay sealed or blinded: no sink of the relay, and no request to it, shows it."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from relay.adapters.memory import MemoryLimiter
from relay.adapters.sqlite import SqliteLog
from relay.config import Settings
from relay_protocol.limits import Limits
from sync_relay_client import Change, Vault
from tests.client.app import apply_all, found, pair, write
from tests.client.relay_in_process import RelayInProcess
from tests.http.world import World, new_telemetry
from tests.zk.canary import Canary
from tests.zk.drive import WatchedTelemetry
from tests.zk.held import held
from tests.zk.places import found_in
from tests.zk.sinks import Sinks, watched

PAYLOAD = Canary.draw("payload", 0x10000, 3_001)
NAMES = {
    name: Canary.draw(name, 0x10280 + 0x1000 * number, 60)
    for number, name in enumerate(("origin_user", "timestamp", "operation_type", "entity", "entity_id"))
}
LENGTHS = frozenset({"its length"})
"""Of a name it is a number like many; of a payload, padded, there is none to be seen."""


class WatchedRelay(RelayInProcess):
    """A relay on SQLite, of which all is watched: what it is sent, and what it does with it."""

    def __init__(self, directory: Path, sinks: Sinks) -> None:
        super().__init__()
        self.world = World(SqliteLog(directory / "relay.sqlite3"), MemoryLimiter(), Settings(limits=Limits()))
        self.world.replace(telemetry=WatchedTelemetry(new_telemetry("DEBUG"), sinks))
        self.clock = self.world.clock
        self.meddle = self._note
        self._sinks = sinks

    def _note(self, request: httpx.Request, answer: Callable[[httpx.Request], httpx.Response]) -> httpx.Response:
        self._sinks.note("request", {"url": str(request.url), "body": request.content, **request.headers})
        return answer(request)


def _live(relay: WatchedRelay, home: Path) -> None:
    """Let two devices do what devices do."""
    laptop = found(relay, home / "laptop", recovery=True)
    phone = pair(laptop, home / "phone", relay.options())
    names = {name: canary.text for name, canary in NAMES.items()}
    for vault in (laptop, phone):
        vault.push(Change(**names, payload=PAYLOAD.raw))
        _sync(laptop, phone)
    laptop.snapshot(write, schema_version=1)
    relay.prune()
    pair(laptop, home / "tablet", relay.options())
    laptop.revoke(phone.device_id)
    laptop.push(Change(**names, payload=PAYLOAD.raw))


def _sync(*vaults: Vault) -> None:
    for vault in vaults:
        vault.pull()
        apply_all(vault)


def test_nothing_of_an_apps_data_is_seen_at_any_sink(
    tmp_path: Path, home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (directory := tmp_path / "relay").mkdir()
    with watched(directory, home) as sinks:
        relay = WatchedRelay(directory, sinks)
        _live(relay, home)
        sinks.passed += held(relay.world.relay)
    told = capfd.readouterr()
    sinks.note("standard streams", told.out + told.err)
    sinks.note("blobs", list(relay.world.blobs._blobs.values()))
    canaries = [PAYLOAD, *NAMES.values()]
    places = {place.split()[0].split(".")[0] for place, _ in sinks.passed}
    assert places >= {"INSERT", "request", "log", "held", "standard", "blobs[]"}
    assert found_in(canaries, sinks.passed, but=LENGTHS) == set()


def test_without_the_seal_it_would_be_seen(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A search that can't find is worth nothing."""
    monkeypatch.setattr(
        "sync_relay_client.envelope.crypto_aead_xchacha20poly1305_ietf_encrypt",
        lambda plaintext, *_: plaintext + bytes(16),
    )
    (directory := tmp_path / "relay").mkdir()
    with watched(directory, home) as sinks:
        relay = WatchedRelay(directory, sinks)
        found(relay, home / "laptop").push(Change("u", "t", "o", "e", "i", PAYLOAD.raw))
    seen = found_in([PAYLOAD], sinks.passed, but=LENGTHS)
    assert seen == {("payload", "request.body"), ("payload", "INSERT changesets.text")}
