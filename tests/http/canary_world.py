"""A relay as an operator runs it, logging at DEBUG, whose every request carries canaries wherever one can be put."""

from pathlib import Path
from typing import Any

from relay.config import Settings
from relay.wiring import build
from tests.http.device import Device, Json
from tests.http.events import Draft
from tests.http.world import World, encode, new_telemetry

SEALED = "canary-sealed-7d1f"
"""Stands in every sealed field."""
OPEN = "canary-open-93ab"
"""Stands in every other text that a client may choose, and in header fields that no one asked for."""
ADDRESS = "198.51.100.77"
CANARIES = (SEALED, OPEN, ADDRESS)

_OPEN_FIELDS = ("origin_user", "timestamp", "operation_type", "entity", "entity_id", "key_id")


class CanaryWorld(World):
    """Plants canaries in each request before it is signed."""

    def __init__(self, directory: Path, *, request_metrics: bool = False) -> None:
        settings = Settings(data_dir=directory, log_level="DEBUG")
        relay = build(settings)
        super().__init__(relay.log, relay.limiter, settings)
        self.replace(telemetry=new_telemetry("DEBUG", request_metrics=request_metrics), address_key=relay.address_key)

    def as_sent(self, changeset: Json) -> Json:
        return plant(changeset)

    def draft(self, device: Device | None, method: str, path: str, body: Any = None, **knobs: Any) -> Draft:
        knobs.setdefault("address", ADDRESS)
        draft = super().draft(device, method, path, _plant(body), **knobs)
        draft.headers |= {"User-Agent": OPEN, "Cookie": OPEN, "X-Forwarded-For": f"{OPEN}, {ADDRESS}"}
        return draft


def plant(changeset: Json) -> Json:
    """Put canaries into a changeset."""
    fields = {name: f"{OPEN} {changeset[name]}"[:64] for name in _OPEN_FIELDS if name in changeset}
    fields |= {name: f"{SEALED} {changeset[name]}" for name in ("nonce", "ciphertext") if name in changeset}
    return changeset | fields


def _plant(body: Any) -> Any:
    if isinstance(body, bytes):
        return body + encode(plant(Device.named("nobody").changeset(0)))
    if isinstance(body, dict) and "changesets" in body:
        return {"changesets": [plant(one) for one in body["changesets"]]}
    if isinstance(body, dict) and "ciphertext" in body:
        return plant(body)
    if body == {}:
        return {OPEN: SEALED, "id": OPEN, "nonce": [SEALED], "ciphertext": {SEALED: SEALED}}
    return body
