"""A device as a relay sees it: a key that signs, and changesets to push."""

import uuid
from dataclasses import dataclass, field
from typing import Any

from nacl.signing import SigningKey

from relay_protocol.devices import endorse, thumbprint
from relay_protocol.encoding import base64url

Json = dict[str, Any]


@dataclass(frozen=True)
class Device:
    """An Ed25519 key pair, drawn anew unless one is given."""

    key: SigningKey = field(default_factory=SigningKey.generate)

    @property
    def public_key(self) -> str:
        """The public key, as the wire has it."""
        return base64url(bytes(self.key.verify_key))

    @property
    def id(self) -> str:
        """The thumbprint of the public key (§1)."""
        return thumbprint(bytes(self.key.verify_key))

    def endorse(self, vault_id: str, device_id: str, expires_at: int) -> Json:
        """Return this device's word that another one may join until `expires_at`, Unix seconds (§5)."""
        return endorse(self.key, vault_id, device_id, expires_at)

    def changeset(self, **fields: object) -> Json:
        """Return a changeset of this device, with an id of its own; `fields` replace those of §3."""
        return {
            "id": str(uuid.uuid4()),
            "origin_device": self.id,
            "origin_user": "user-1",
            "timestamp": "2026-04-26T09:30:01.000Z",
            "operation_type": "upsert",
            "entity": "transaction",
            "entity_id": "tx-1",
            "schema_version": 3,
            "key_id": "k1",
            "nonce": "bm9uY2U",
            "ciphertext": "c2VhbGVk",
        } | fields
