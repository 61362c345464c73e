"""Examples for the OpenAPI document, and the schemas of the members that errors carry (§6)."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from relay_protocol import errors
from relay_protocol.chain import Head, genesis
from relay_protocol.encoding import base64url, from_base64url
from relay_protocol.errors import RelayError, all_errors
from relay_protocol.limits import Limits, Retention

_VECTORS = Path(__file__).parents[2] / "schema" / "vectors"
_CHAIN = json.loads((_VECTORS / "chain.json").read_text())
_ALICE, _BOB = json.loads((_VECTORS / "devices.json").read_text())["devices"][1:3]
_ENDORSED = json.loads((_VECTORS / "endorsements.json").read_text())["cases"][0]

_EPOCH = "7a1d9f42-31c5-4f0e-8a6b-90d1c2b3a4f5"
_TIME = "2026-04-26T09:30:07.125Z"
_LINK = _CHAIN["links"][0]
_HEAD = Head(1, from_base64url(_LINK["chain"]))
_HEAD_JSON = {"seq": 1, "chain": _LINK["chain"]}
_GENESIS_JSON = genesis(_CHAIN["vault_id"]).as_json()
_SHA256 = base64url(bytes(range(32)))
_URL = "https://relay.example/blobs/TOKEN"

_ENDORSEMENT = {name: _ENDORSED[name] for name in ("endorser", "expires_at", "signature")}
_SNAPSHOT = {
    "sha256": _SHA256,
    "size": 1048576,
    "key_id": "k1",
    "schema_version": 3,
    "covers": _HEAD_JSON,
    "origin_device": _ALICE["device_id"],
    "status": "available",
    "created_at": _TIME,
}
_DOWNLOADABLE = _SNAPSHOT | {"download": {"url": _URL, "expires_at": "2026-04-26T09:45:07.125Z"}}

EXAMPLES: dict[str, Any] = {
    "HealthAnswer": {"status": "ok"},
    "ConfigAnswer": {
        "protocol": 1,
        "limits": asdict(Limits()),
        "retention": asdict(Retention()),
        "vault_creation": "open",
    },
    "Registration": {
        "vault_id": _CHAIN["vault_id"],
        "public_key": _BOB["public_key"],
        "endorsement": _ENDORSEMENT,
    },
    "RegistrationAnswer": {
        "device_id": _BOB["device_id"],
        "vault_id": _CHAIN["vault_id"],
        "epoch": _EPOCH,
        "public_key": _BOB["public_key"],
        "registered_at": _TIME,
        "head": _HEAD_JSON,
    },
    "DeviceAnswer": {
        "device_id": _BOB["device_id"],
        "public_key": _BOB["public_key"],
        "algorithm": "ed25519",
        "registered_at": _TIME,
    },
    "MembersAnswer": {
        "epoch": _EPOCH,
        "devices": [
            {
                "device_id": _BOB["device_id"],
                "public_key": _BOB["public_key"],
                "registered_at": _TIME,
                "revoked_at": None,
                "endorsement": _ENDORSEMENT,
            }
        ],
    },
    "VaultAnswer": {
        "vault_id": _CHAIN["vault_id"],
        "epoch": _EPOCH,
        "created_at": _TIME,
        "head": _HEAD_JSON,
        "floor": _GENESIS_JSON,
        "devices": 2,
        "bytes": 1049152,
        "snapshot": _SNAPSHOT,
    },
    "Changeset": _LINK["changeset"],
    "Batch": {"changesets": [_LINK["changeset"]]},
    "PushAnswer": {
        "epoch": _EPOCH,
        "head": _HEAD_JSON,
        "receipts": [
            {
                "id": _LINK["changeset"]["id"],
                "seq": 1,
                "received_at": _TIME,
                "chain": _LINK["chain"],
                "status": "created",
            }
        ],
    },
    "PullAnswer": {
        "epoch": _EPOCH,
        "changesets": [{"seq": 1, "received_at": _TIME, "chain": _LINK["chain"]} | _LINK["changeset"]],
        "cursor": 1,
        "has_more": False,
        "head": _HEAD_JSON,
    },
    "Announcement": {name: _SNAPSHOT[name] for name in ("sha256", "size", "key_id", "schema_version", "covers")},
    "AnnouncementAnswer": {
        "epoch": _EPOCH,
        "snapshot": _SNAPSHOT | {"status": "pending"},
        "upload": {
            "method": "PUT",
            "url": _URL,
            "headers": {"Content-Type": "application/octet-stream"},
            "expires_at": "2026-04-26T09:45:07.125Z",
        },
    },
    "SnapshotAnswer": {"epoch": _EPOCH, "snapshot": _DOWNLOADABLE},
    "SnapshotsAnswer": {"epoch": _EPOCH, "snapshots": [_SNAPSHOT]},
}

_WITH_MEMBERS: list[RelayError] = [
    errors.MethodNotAllowed(("GET", "DELETE")),
    errors.ChangesetConflict([_LINK["changeset"]["id"]]),
    errors.CursorAhead(_HEAD),
    errors.HistoryPruned(_HEAD, _SNAPSHOT),
    errors.HeadMoved(_HEAD),
    errors.BodyTooLarge(Limits().max_body_bytes),
    errors.InvalidField(("/entity_id", "too long")),
    errors.RateLimited(1),
    errors.Internal("2f1c6c38-3d0e-4f0a-9a55-0e6a5f2d4b11"),
    errors.Unavailable(2),
    errors.QuotaExceeded("max_vault_bytes", Limits().max_vault_bytes),
]

ERROR_EXAMPLES: dict[str, RelayError] = {error.code: error for error in _WITH_MEMBERS}
ERROR_EXAMPLES |= {kind.code: kind() for kind in all_errors() if kind.code not in ERROR_EXAMPLES}

_HEAD_REF = {"$ref": "#/components/schemas/HeadAnswer"}
_FIELD_ERROR = {
    "type": "object",
    "required": ["pointer", "reason"],
    "properties": {"pointer": {"type": "string", "description": "RFC 6901"}, "reason": {"type": "string"}},
    "additionalProperties": False,
}

MEMBER_SCHEMAS: dict[str, dict[str, Any]] = {
    "changeset_conflict": {"ids": {"type": "array", "items": {"type": "string"}}},
    "cursor_ahead": {"head": _HEAD_REF},
    "history_pruned": {
        "floor": _HEAD_REF,
        "snapshot": {"anyOf": [{"$ref": "#/components/schemas/Snapshot"}, {"type": "null"}]},
    },
    "head_moved": {"head": _HEAD_REF},
    "body_too_large": {"limit": {"type": "integer", "description": "bytes"}},
    "invalid_field": {"errors": {"type": "array", "items": _FIELD_ERROR}},
    "internal": {"id": {"type": "string", "description": "to look up in the relay's log"}},
    "quota_exceeded": {
        "quota": {"type": "string", "description": "a name in /config's limits"},
        "limit": {"type": "integer"},
    },
}
