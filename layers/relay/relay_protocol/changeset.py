"""The changeset and its digest (§3)."""

from hashlib import sha256
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from relay_protocol.encoding import UUID_PATTERN, pae
from relay_protocol.sealed import Sealed, into_hash, json_text

MAX_SCHEMA_VERSION = 2**31 - 1

Uuid = Annotated[str, StringConstraints(pattern=UUID_PATTERN)]
Text64 = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Text128 = Annotated[str, StringConstraints(min_length=1, max_length=128)]
SchemaVersion = Annotated[int, Field(ge=0, le=MAX_SCHEMA_VERSION)]


class Changeset(BaseModel):
    """One sealed change, as a device pushes it. Lengths count code points; nothing is normalised or trimmed."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    id: Uuid
    origin_device: Annotated[str, Field(description="MUST equal the device that signed the request")]
    origin_user: Text128
    timestamp: Text64
    operation_type: Text64
    entity: Text128
    entity_id: Text128
    schema_version: SchemaVersion
    key_id: Text128
    nonce: Annotated[Sealed[str], Field(description="Sealed: any string")]
    ciphertext: Annotated[Sealed[str], Field(description="Sealed: any string")]

    def digest(self, vault_id: str) -> bytes:
        """Return the SHA-256 over vault id and all fields: what makes two changesets the same (§3)."""
        return sha256(
            pae(
                "sync-relay/changeset/v1",
                vault_id,
                self.id,
                self.origin_device,
                self.origin_user,
                self.timestamp,
                self.operation_type,
                self.entity,
                self.entity_id,
                self.schema_version,
                self.key_id,
                into_hash(self.nonce),
                into_hash(self.ciphertext),
            )
        ).digest()

    def json_text(self) -> tuple[Sealed[bytes], int]:
        """Return the JSON text to store, sealed, and its length in bytes."""
        return json_text(self.__dict__)
