"""A relay with a vault that has something in it, made anew once an input has changed it."""

import json
from collections.abc import Sequence
from pathlib import Path

from relay.config import Settings
from relay_protocol.limits import Limits
from tests.fuzz.request_text import write
from tests.http.device import Device
from tests.http.world import Vault, World, open_stores
from tools.openapi.examples import EXAMPLES

VAULT_ID = "5e1f0000-0000-4000-8000-000000000001"
BLOB = b"a snapshot, as far as the relay can tell"
DEVICES = {name: Device.named(name) for name in ("founder", "phone", "lost", "stranger")}
"""Who may sign: two members, one that was revoked, and one that nobody knows."""


class VaultWorld:
    """Gives the vault to one input after another."""

    def __init__(self) -> None:
        self._fresh: Vault | None = None

    def vault(self) -> Vault:
        """Return the vault, as no input has changed it."""
        if self._fresh is None:
            self._fresh = _make()
        self._fresh.world.telemetry.told.clear()
        return self._fresh

    def spend(self) -> None:
        """Have the next input get another one."""
        self._fresh = None


def fresh_world() -> World:
    """Make a relay in memory, with limits that a short input can reach."""
    log, limiter = open_stores("memory", Path())
    return World(log, limiter, Settings(limits=Limits(rate_limit=None, max_body_bytes=20_000, max_batch=10)))


def _make() -> Vault:
    world = fresh_world()
    vault = world.found(DEVICES["founder"], VAULT_ID)
    for name in ("phone", "lost"):
        vault.join(name)
    vault.revoke(DEVICES["lost"])
    vault.fill(range(3))
    vault.snapshot(BLOB, 2)
    return vault


def request_seeds() -> Sequence[bytes]:
    """Return a request's text for each route, to be signed by who stands in its field `by`."""
    founder, phone, stranger = DEVICES["founder"], DEVICES["phone"], DEVICES["stranger"]
    vault = _make()
    chain, path = vault.head()["chain"], vault.path
    sha256 = vault.call("GET", "/snapshots/latest").json["snapshot"]["sha256"]
    announcement = EXAMPLES["Announcement"] | {"covers": {"seq": 3, "chain": chain}}
    registration = {"vault_id": VAULT_ID, "public_key": stranger.public_key}
    joining = registration | {"endorsement": vault.endorsement(stranger)}
    single, batch = phone.changeset(7), {"changesets": [phone.changeset(8), phone.changeset(9)]}
    gets = [
        "/health",
        "/config",
        f"/devices/{founder.id}",
        path,
        f"{path}/devices",
        f"{path}/changesets?since=1&limit=2",
        f"{path}/snapshots",
        f"{path}/snapshots/latest",
        f"{path}/snapshots/{sha256}",
    ]
    posts = [
        ("stranger", "/devices", registration),
        ("stranger", "/devices", joining),
        ("stranger", "/devices", registration | {"vault_id": VAULT_ID.replace("5e1f", "6e1f")}),
        ("phone", f"{path}/changesets", single),
        ("phone", f"{path}/changesets", batch),
        ("founder", f"{path}/snapshots", announcement),
        ("founder", f"{path}/snapshots/{sha256}/complete", {}),
    ]
    made = [write("GET", target, {"by": "phone"}) for target in gets]
    for by, target, body in posts:
        fields = {"by": by, "Content-Type": "application/json"}
        made.append(write("POST", target, fields, json.dumps(body).encode()))
    conditional = {"by": "phone", "Content-Type": "application/json", "If-Match": f'"{chain}"'}
    made.append(write("POST", f"{path}/changesets", conditional, json.dumps(single).encode()))
    made.append(write("DELETE", f"{path}/devices/{phone.id}", {"by": "founder"}))
    made.append(write("DELETE", path, {"by": "founder", "If-Match": f'"{chain}"'}))
    return made
