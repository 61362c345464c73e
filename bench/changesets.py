"""Changesets as a device sends them, with nothing in them."""

import json
import os
import uuid

from relay_protocol.encoding import base64url

NAME = "-" * 22


def changeset(device_id: str, size_bytes: int) -> dict[str, str | int]:
    """Return a new changeset, whose JSON text has this many bytes, or one fewer."""
    made = changeset_of(str(uuid.uuid4()), device_id, base64url(os.urandom(24)), ciphertext="")
    frame_bytes = len(json.dumps(made, separators=(",", ":")))
    return {**made, "ciphertext": base64url(os.urandom((size_bytes - frame_bytes) * 3 // 4))}


def changeset_of(changeset_id: str, device_id: str, nonce: str, ciphertext: str) -> dict[str, str | int]:
    """Return a changeset of these; all that has a name in it has the same one."""
    return {
        "id": changeset_id,
        "origin_device": device_id,
        "origin_user": NAME,
        "timestamp": "-",
        "operation_type": NAME,
        "entity": NAME,
        "entity_id": NAME,
        "schema_version": 1,
        "key_id": NAME,
        "nonce": nonce,
        "ciphertext": ciphertext,
    }
