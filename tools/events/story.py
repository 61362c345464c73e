"""One request for each route, in an order in which each is answered: a device founds a vault, uses it, and erases it.

Everything in them is the same in every run, but for times and signatures.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from nacl.signing import SigningKey

from relay_protocol.chain import extend, genesis
from relay_protocol.changeset import Changeset
from relay_protocol.devices import endorse, thumbprint
from relay_protocol.encoding import base64url
from tools.events.gateway import HttpRequest, event

VAULT = "5e1f0000-0000-4000-8000-000000000001"
JSON = {"Content-Type": "application/json"}
BLOB = b"not what a client would send: " * 10
"""The snapshot's blob, as far as the relay can tell."""
ENDORSED_SECONDS = 3600
SCHEDULED: dict[str, Any] = {
    "version": "0",
    "id": "5e1f0000-0000-4000-8000-000000000002",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": "123456789012",
    "region": "eu-central-1",
    "resources": [],
    "detail": {},
}


@dataclass(frozen=True)
class Example:
    """An event, the group of the function that it is for, and the status of the answer; None for maintenance."""

    name: str
    group: str
    status: int | None
    event: Mapping[str, Any]


def examples(now_seconds: int, vault_id: str = VAULT) -> list[Example]:
    """Return all events, signed now. They are answered as they say on a store that does not know the vault yet.

    Before `snapshots-complete`, `BLOB` has to be sent to the URL that `snapshots-announce` was answered with.
    """
    laptop, phone = _key("laptop"), _key("phone")
    vault = f"/vaults/{vault_id}"
    changeset = _changeset(_device(laptop))
    head = extend(genesis(vault_id), Changeset.model_validate(changeset).digest(vault_id))
    snapshot = base64url(sha256(BLOB).digest())
    announcement = {
        "sha256": snapshot,
        "size": len(BLOB),
        "key_id": "k1",
        "schema_version": 1,
        "covers": head.as_json(),
    }
    endorsement = endorse(laptop, vault_id, _device(phone), now_seconds + ENDORSED_SECONDS)

    def post(path: str, key: SigningKey, body: object) -> HttpRequest:
        return HttpRequest("POST", path, key, headers=JSON, body=json.dumps(body))

    def registration(key: SigningKey, **endorsed: object) -> object:
        return {"vault_id": vault_id, "public_key": base64url(bytes(key.verify_key)), **endorsed}

    story = [
        ("health", "vaults", 200, HttpRequest("GET", "/health")),
        ("config", "vaults", 200, HttpRequest("GET", "/config")),
        ("register", "devices", 201, post("/devices", laptop, registration(laptop))),
        ("register-second", "devices", 201, post("/devices", phone, registration(phone, endorsement=endorsement))),
        ("show", "devices", 200, HttpRequest("GET", f"/devices/{_device(phone)}", laptop)),
        ("list", "devices", 200, HttpRequest("GET", f"{vault}/devices", laptop)),
        ("push", "changesets", 201, post(f"{vault}/changesets", laptop, changeset)),
        (
            "pull",
            "changesets",
            200,
            HttpRequest("GET", f"{vault}/changesets", phone, (("since", "0"), ("limit", "100"))),
        ),
        ("announce", "snapshots", 201, post(f"{vault}/snapshots", laptop, announcement)),
        ("complete", "snapshots", 200, HttpRequest("POST", f"{vault}/snapshots/{snapshot}/complete", laptop)),
        ("show", "snapshots", 200, HttpRequest("GET", f"{vault}/snapshots/{snapshot}", phone)),
        ("latest", "snapshots", 200, HttpRequest("GET", f"{vault}/snapshots/latest", phone)),
        ("list", "snapshots", 200, HttpRequest("GET", f"{vault}/snapshots", phone)),
        ("show", "vaults", 200, HttpRequest("GET", vault, phone)),
        ("revoke", "devices", 204, HttpRequest("DELETE", f"{vault}/devices/{_device(phone)}", laptop)),
        (
            "erase",
            "vaults",
            204,
            HttpRequest("DELETE", vault, laptop, headers={"If-Match": f'"{base64url(head.chain)}"'}),
        ),
    ]
    made = [
        Example(f"{number:02}-{group}-{action}", group, status, event(request, now_seconds))
        for number, (action, group, status, request) in enumerate(story, start=1)
    ]
    return [*made, Example(f"{len(made) + 1:02}-maintenance", "maintenance", None, SCHEDULED)]


def _key(name: str) -> SigningKey:
    """Return the one key of this name. Anyone can make it: it is for events alone."""
    return SigningKey(sha256(f"sync-relay/event/{name}".encode()).digest())


def _device(key: SigningKey) -> str:
    return thumbprint(bytes(key.verify_key))


def _changeset(device_id: str) -> dict[str, Any]:
    return {
        "id": "5e1f0000-0000-4000-8000-000000000003",
        "origin_device": device_id,
        "origin_user": "-",
        "timestamp": "-",
        "operation_type": "-",
        "entity": "-",
        "entity_id": "-",
        "schema_version": 1,
        "key_id": "k1",
        "nonce": base64url(bytes(24)),
        "ciphertext": base64url(sha256(b"not what a client would send").digest()),
    }
