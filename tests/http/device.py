"""A device as the handler tests need it: a key that signs, and changesets to push."""

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any

from nacl.signing import SigningKey

from relay_protocol.devices import endorse, thumbprint
from relay_protocol.encoding import base64url

Json = dict[str, Any]


@dataclass(frozen=True)
class Device:
    """An Ed25519 key pair."""

    key: SigningKey

    @classmethod
    def named(cls, name: str) -> "Device":
        """Make the one device of this name: the same in every run."""
        return cls(SigningKey(sha256(name.encode()).digest()))

    @cached_property
    def id(self) -> str:
        return thumbprint(bytes(self.key.verify_key))

    @cached_property
    def public_key(self) -> str:
        return base64url(bytes(self.key.verify_key))

    def endorse(self, vault_id: str, device_id: str, expires_at: int) -> Json:
        return endorse(self.key, vault_id, device_id, expires_at)

    def changeset(self, number: int | str, **fields: Any) -> Json:
        """Make a changeset whose id is drawn from `number`: the same number, the same changeset."""
        return {
            "id": uuid_of(f"changeset {number}"),
            "origin_device": self.id,
            "origin_user": "user-1",
            "timestamp": "2026-04-26T09:30:01.000Z",
            "operation_type": "upsert",
            "entity": "transaction",
            "entity_id": f"tx-{number}",
            "schema_version": 3,
            "key_id": "k1",
            "nonce": "bm9uY2U",
            "ciphertext": f"sealed-{number}",
        } | fields


def uuid_of(name: str) -> str:
    """Return a UUID that depends on the name alone."""
    digits = sha256(name.encode()).hexdigest()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:32]))
