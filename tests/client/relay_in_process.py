"""The relay's real handlers behind an httpx transport: as honest as over a socket, and quick enough for hundreds."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import httpx

from relay.adapters.memory import MemoryLimiter, MemoryLog
from relay.config import Settings
from relay.http import gateway
from relay.http.routes import resolve
from relay_protocol.limits import Limits
from sync_relay_client import Options, Retry
from tests.http.documented import body_of
from tests.http.events import gateway_event
from tests.http.world import GROUPS, World

URL = "http://relay.example"

Meddle = Callable[[httpx.Request, Callable[[httpx.Request], httpx.Response]], httpx.Response]


def honest(request: httpx.Request, answer: Callable[[httpx.Request], httpx.Response]) -> httpx.Response:
    return answer(request)


class RelayInProcess:
    """A relay in memory. `meddle` stands between it and its clients: it may lose, refuse or alter what passes."""

    url = URL

    def __init__(self, **limits: Any) -> None:
        settings = Settings(limits=Limits(**({"rate_limit": None} | limits)))
        self.world = World(MemoryLog(), MemoryLimiter(), settings)
        self.clock = self.world.clock
        self.meddle: Meddle = honest
        self.requests: list[tuple[str, str]] = []

    def options(self, **changes: Any) -> Options:
        """Return options by which a vault uses this relay and its clock; no pause takes any time."""
        transport = InProcessTransport(self)
        options = Options(
            keyring="file",
            retry=Retry(draw=lambda: 0.5),
            transport=transport,
            async_transport=transport,
            clock=lambda: self.clock.us / 1_000_000,
            sleep=self.clock.advance,
        )
        return replace(options, **changes)

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append((request.method, request.url.path))
        return self.meddle(request, self.answer)

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer as the relay does."""
        if request.url.path.startswith("/blobs/"):
            return self._transfer(request)
        event = gateway_event(
            request.method,
            request.url.path,
            headers=dict(request.headers),
            query=request.url.params.multi_items(),
            body=request.content.decode() or None,
        )
        endpoints = GROUPS[resolve(request.url.path)[0].group]
        response = gateway.handle(self.world.relay, endpoints, event)
        return httpx.Response(response["statusCode"], headers=response["headers"], text=body_of(response))

    def _transfer(self, request: httpx.Request) -> httpx.Response:
        url, now_ms = str(request.url), self.world.relay.now_ms()
        if request.method == "PUT":
            headers = {"Content-Length": request.headers["content-length"]}
            return httpx.Response(200 if self.world.blobs.put(url, headers, request.content, now_ms) else 403)
        blob = self.world.blobs.get(url, now_ms)
        return httpx.Response(403) if blob is None else httpx.Response(200, stream=httpx.ByteStream(blob))

    # -------- the operator

    def prune(self) -> None:
        """Prune all that an available snapshot covers."""
        self.world.configure(retention=replace(self.world.relay.settings.retention, changeset_days=0))
        self.clock.advance(1)
        self.world.maintain()

    def new_epoch(self) -> None:
        self.world.relay.log.renew_epochs(self.world.relay.ids.uuid)

    def backup(self) -> "Backup":
        log, blobs = self.world.relay.log, self.world.blobs
        assert isinstance(log, MemoryLog)
        vaults = {vault_id: _copied(vault) for vault_id, vault in log._vaults.items()}
        return Backup(vaults, set(log._erased), dict(blobs._blobs), self.clock.us)

    def restore(self, backup: "Backup") -> None:
        """Be again what a backup was made of. The epoch is the operator's to renew."""
        log, blobs = self.world.relay.log, self.world.blobs
        assert isinstance(log, MemoryLog)
        log._vaults = {vault_id: _copied(vault) for vault_id, vault in backup.vaults.items()}
        log._erased, blobs._blobs, self.clock.us = set(backup.erased), dict(backup.blobs), backup.clock_us


@dataclass(frozen=True)
class Backup:
    """All that a relay in memory holds."""

    vaults: dict[str, Any]
    erased: set[str]
    blobs: dict[str, bytes]
    clock_us: int


def _copied(vault: Any) -> Any:
    """Copy a vault; what its containers hold is never changed in place."""
    copied = copy.copy(vault)
    for name in ("members", "receipts", "records", "snapshots"):
        setattr(copied, name, copy.copy(getattr(vault, name)))
    return copied


class InProcessTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Carries the requests of a vault, or of an async one, to a relay in this process."""

    def __init__(self, relay: RelayInProcess) -> None:
        self._relay = relay

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        return self._relay.handle(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        return self._relay.handle(request)
