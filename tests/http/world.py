"""A relay with its world in the test's hands: clock, ids, telemetry, stores; and vaults and devices that use it."""

import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

from relay.adapters.memory import MemoryBlobs, MemoryLimiter, MemoryLog
from relay.adapters.sqlite import SqliteLimiter, SqliteLog
from relay.config import Settings
from relay.core import retention
from relay.core.retention import Tally
from relay.http import changesets, devices, gateway, snapshots, vaults
from relay.http.routes import ROUTES, Route, resolve
from relay.observability import PowertoolsTelemetry
from relay.ports import Limiter, Log
from relay.service import Relay
from relay_protocol.chain import genesis
from relay_protocol.encoding import base64url
from relay_protocol.errors import RouteNotFound
from relay_protocol.limits import Limits
from tests.http.device import Device, Json, uuid_of
from tests.http.documented import Answer, check, read
from tests.http.events import Draft, Event

LIMITS = {limit.name for limit in fields(Limits)}
NOW_SECONDS = 1_777_195_800
GROUPS: dict[str, gateway.Endpoints] = {
    "changesets": changesets.ENDPOINTS,
    "devices": devices.ENDPOINTS,
    "snapshots": snapshots.ENDPOINTS,
    "vaults": vaults.ENDPOINTS,
}


class SettableClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.us = NOW_SECONDS * 1_000_000

    def now_us(self) -> int:
        return self.us

    @property
    def seconds(self) -> int:
        return self.us // 1_000_000

    def advance(self, seconds: float) -> None:
        self.us += round(seconds * 1_000_000)


class CountedIds:
    """UUIDs that are the same in every run."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def uuid(self) -> str:
        return uuid_of(f"drawn {next(self._numbers)}")


@dataclass
class RecordingTelemetry:
    """Keeps what it was told."""

    told: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)

    def answered(self, *about: Any) -> None:
        self.told.append(("answered", about))

    def limiter_failed(self, *about: Any) -> None:
        self.told.append(("limiter_failed", about))

    def store_unavailable(self, *about: Any) -> None:
        self.told.append(("store_unavailable", about))

    def failed(self, *about: Any) -> None:
        self.told.append(("failed", about))

    def retention_ran(self, *about: Any) -> None:
        self.told.append(("retention_ran", about))

    def of(self, kind: str) -> list[tuple[Any, ...]]:
        return [about for one, about in self.told if one == kind]


def open_stores(kind: str, directory: Path) -> tuple[Log, Limiter]:
    """Open one of the two stores that need no server."""
    if kind == "memory":
        return MemoryLog(), MemoryLimiter()
    return SqliteLog(directory / "relay.sqlite3"), SqliteLimiter(directory / "limiter.sqlite3")


class World:
    """A relay, and everything around it."""

    def __init__(self, log: Log, limiter: Limiter, settings: Settings) -> None:
        self.blobs = MemoryBlobs()
        self.clock = SettableClock()
        self.telemetry = RecordingTelemetry()
        self.relay = Relay(
            settings, log, self.blobs, limiter, self.clock, CountedIds(), self.telemetry, address_key=b"k" * 32
        )
        self._vaults = count(1)

    def configure(self, **changes: Any) -> None:
        """Change settings; a limit is changed by its name in `/config`."""
        limits = {name: changes.pop(name) for name in list(changes) if name in LIMITS}
        settings = self.relay.settings
        if limits:
            changes["limits"] = replace(settings.limits, **limits)
        self.relay = replace(self.relay, settings=replace(settings, **changes))

    def as_sent(self, changeset: dict[str, Any]) -> dict[str, Any]:
        """Return a changeset as this world's requests carry it."""
        return changeset

    def replace(self, **ports: Any) -> None:
        """Put another port in."""
        self.relay = replace(self.relay, **ports)

    def draft(
        self,
        device: Device | None,
        method: str,
        path: str,
        body: bytes | Json | list[Any] | None = None,
        **knobs: Any,
    ) -> Draft:
        """Draft a request by a device, or an unsigned one. A body gets its media type unless headers name one."""
        raw = body if isinstance(body, bytes) else b"" if body is None else encode(body)
        knobs.setdefault("created", self.clock.seconds)
        headers = dict(knobs.pop("headers", {}))
        if raw and "Content-Type" not in headers:
            headers["Content-Type"] = "application/json"
        return Draft(method, path, device.key if device else None, headers=headers, body=raw, **knobs)

    def call(self, device: Device | None, method: str, path: str, body: Any = None, **knobs: Any) -> Answer:
        """Send a request and check that the answer is one the protocol knows."""
        return self.send(self.draft(device, method, path, body, **knobs))

    def send(self, draft: Draft) -> Answer:
        return self.handle(draft.event())

    def handle(self, event: Event) -> Answer:
        """Let the function handle the event that API Gateway would give it to."""
        route = _route_of(event)
        endpoints = GROUPS[route.group] if route else vaults.ENDPOINTS
        answer = read(gateway.handle(self.relay, endpoints, event))
        check(answer, route.resource if route else "", event["httpMethod"])
        limits = self.relay.settings.limits
        is_counted = limits.rate_limit is not None and route not in {None, ROUTES["/health"], ROUTES["/config"]}
        _check_rate_fields(answer, limits.max_body_bytes, counted=is_counted)
        return answer

    # -------- vaults

    def found(self, founder: Device | None = None, vault_id: str | None = None) -> "Vault":
        """Found a vault."""
        number = next(self._vaults)
        founder = founder or Device.named(f"founder {number}")
        vault = Vault(self, vault_id or uuid_of(f"vault {number}"), founder)
        answer = vault.register(founder)
        assert answer.status == 201
        return vault

    def upload(self, announcement: Answer, blob: bytes) -> bool:
        """Send the blob as the announcement's answer says; return whether the store took it."""
        upload = announcement.json["upload"]
        return self.blobs.put(upload["url"], upload["headers"], blob, self.relay.now_ms())

    def download(self, snapshot: Json) -> bytes | None:
        """Fetch the blob of a snapshot that carries `download`."""
        return self.blobs.get(snapshot["download"]["url"], self.relay.now_ms())

    def maintain(self) -> Tally:
        """Run retention once, as the scheduled function does."""
        relay = self.relay
        return retention.run(relay.log, relay.blobs, relay.limiter, relay.settings.retention, self.clock.now_us())


@dataclass(frozen=True)
class Vault:
    """A vault, its founder, and the requests about it. The founder sends where no other device is named."""

    world: World
    id: str
    founder: Device

    @property
    def path(self) -> str:
        return f"/vaults/{self.id}"

    def call(self, method: str, below: str = "", body: Any = None, *, by: Device | None = None, **knobs: Any) -> Answer:
        return self.world.call(by or self.founder, method, self.path + below, body, **knobs)

    def register(self, device: Device, endorsement: Json | None = None, **knobs: Any) -> Answer:
        body: Json = {"vault_id": self.id, "public_key": device.public_key}
        if endorsement is not None:
            body["endorsement"] = endorsement
        return self.world.call(device, "POST", "/devices", body, **knobs)

    def endorsement(self, device: Device, by: Device | None = None, ahead_seconds: int = 3600) -> Json:
        expires_at = self.world.clock.seconds + ahead_seconds
        return (by or self.founder).endorse(self.id, device.id, expires_at)

    def join(self, name: str) -> Device:
        """Let a new device join."""
        device = Device.named(name)
        assert self.register(device, self.endorsement(device)).status == 201
        return device

    def revoke(self, device: Device, by: Device | None = None) -> Answer:
        return self.call("DELETE", f"/devices/{device.id}", by=by)

    def push(self, *changesets: Json, **knobs: Any) -> Answer:
        """Push one changeset alone, several as a batch."""
        body: Json = changesets[0] if len(changesets) == 1 else {"changesets": list(changesets)}
        return self.call("POST", "/changesets", body, **knobs)

    def fill(self, numbers: Iterable[int | str]) -> list[Json]:
        """Push so many changesets by the founder, and return them."""
        pushed = [self.founder.changeset(number) for number in numbers]
        for start in range(0, len(pushed), 100):
            assert self.push(*pushed[start : start + 100]).status == 201
        return pushed

    def pull(self, since: int | str | None = None, limit: int | str | None = None, **knobs: Any) -> Answer:
        sent = (("since", since), ("limit", limit))
        query = [(name, str(value)) for name, value in sent if value is not None]
        return self.call("GET", "/changesets", query=query, **knobs)

    def info(self) -> Json:
        answer = self.call("GET")
        assert answer.status == 200
        return dict(answer.json)

    def head(self) -> Json:
        return dict(self.info()["head"])

    def chain_at(self, seq: int) -> str:
        """Return the log's chain at a seq, as receipts and pulls tell it."""
        if seq == 0:
            return base64url(genesis(self.id).chain)
        page = self.pull(seq - 1, 1).json
        return str(page["changesets"][0]["chain"])

    def announce(self, blob: bytes, covers: int | Any = 0, *, by: Device | None = None, **changes: Any) -> Answer:
        """Announce a snapshot that covers the log up to a seq; `changes` replace members of the body."""
        if isinstance(covers, int):
            covers = {"seq": covers, "chain": self.chain_at(covers)}
        body = {
            "sha256": base64url(sha256(blob).digest()),
            "size": len(blob),
            "key_id": "k1",
            "schema_version": 3,
            "covers": covers,
        }
        return self.call("POST", "/snapshots", body | changes, by=by)

    def complete(self, blob: bytes, **knobs: Any) -> Answer:
        return self.call("POST", f"/snapshots/{base64url(sha256(blob).digest())}/complete", **knobs)

    def snapshot(self, blob: bytes, covers: int = 0) -> Json:
        """Announce, upload and complete a snapshot."""
        assert self.world.upload(self.announce(blob, covers), blob)
        answer = self.complete(blob)
        assert answer.status == 200
        return dict(answer.json["snapshot"])

    def erase(self, **knobs: Any) -> Answer:
        knobs.setdefault("headers", {"If-Match": f'"{self.head()["chain"]}"'})
        return self.call("DELETE", **knobs)


def new_telemetry(level: str, **options: Any) -> PowertoolsTelemetry:
    """Make the real telemetry, writing to what is the standard output now: powertools keeps one logger a process."""
    logging.Logger.manager.loggerDict.pop("sync-relay", None)
    return PowertoolsTelemetry(level, **options)


def encode(value: Any) -> bytes:
    """Write JSON as a client would."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _route_of(event: Event) -> Route | None:
    """Return the route of an event; None if there is none, and any function may get it."""
    if event["resource"] in ROUTES:
        return ROUTES[event["resource"]]
    try:
        return resolve("/" + event["pathParameters"]["proxy"])[0]
    except RouteNotFound:
        return None


def _check_rate_fields(answer: Answer, max_body_bytes: int, *, counted: bool) -> None:
    """Every answer to a counted request carries both fields, and no other answer does (§9)."""
    if answer.code in {"route_not_found", "method_not_allowed"}:
        counted = False
    if answer.code == "body_too_large" and answer.json["limit"] == max_body_bytes:
        counted = False  # its size is judged before it is counted (§6)
    assert ("ratelimit" in answer.headers) is counted
    assert ("ratelimit-policy" in answer.headers) is counted
