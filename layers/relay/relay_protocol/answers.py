"""The shapes of the answers (§7): what the OpenAPI document promises, and what tests hold real answers against."""

from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, FailFast, Field

from relay_protocol.changeset import Changeset, SchemaVersion, Uuid
from relay_protocol.limits import Limits, Retention, VaultCreation
from relay_protocol.requests import (
    Endorsement,
    NeverNull,
    Seq,
    ThirtyTwoBytes,
    Thumbprint,
    not_null,
    without_default,
)

T = TypeVar("T")

ListOf = Annotated[list[T], FailFast()]
"""A list, of which the first fault is told, and no more: a client reads lists of those whom it does not trust."""

Time = Annotated[
    str,
    Field(
        pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$",
        description="RFC 3339, UTC, milliseconds",
    ),
]


class _Answer(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class HealthAnswer(_Answer):
    """`GET /health`."""

    status: Literal["ok"]


class ConfigAnswer(_Answer):
    """`GET /config`."""

    protocol: Literal[1]
    limits: Limits
    retention: Retention
    vault_creation: VaultCreation


class HeadAnswer(_Answer):
    """A place in the log, and the chain there."""

    seq: Seq
    chain: ThirtyTwoBytes


class RegistrationAnswer(_Answer):
    """`POST /devices`."""

    device_id: Thumbprint
    vault_id: Uuid
    epoch: Uuid
    public_key: ThirtyTwoBytes
    registered_at: Time
    head: HeadAnswer


class DeviceAnswer(_Answer):
    """`GET /devices/{device_id}`."""

    device_id: Thumbprint
    public_key: ThirtyTwoBytes
    algorithm: Literal["ed25519"]
    registered_at: Time


class MemberAnswer(_Answer):
    """A device of the vault's list."""

    device_id: Thumbprint
    public_key: ThirtyTwoBytes
    registered_at: Time
    revoked_at: Time | None
    endorsement: Endorsement | None


class MembersAnswer(_Answer):
    """`GET /vaults/{vault_id}/devices`, in order of registration."""

    epoch: Uuid
    devices: ListOf[MemberAnswer]


class Download(_Answer):
    """Where the blob can be fetched with GET, and until when."""

    url: str
    expires_at: Time


class Snapshot(_Answer):
    """A snapshot without `download`."""

    sha256: ThirtyTwoBytes
    size: int
    key_id: str
    schema_version: SchemaVersion
    covers: HeadAnswer
    origin_device: Thumbprint
    status: Literal["pending", "available"]
    created_at: Time


class DownloadableSnapshot(Snapshot):
    """A snapshot; `download` is there once it is available."""

    download: Annotated[
        Download | None, BeforeValidator(not_null), NeverNull(), Field(json_schema_extra=without_default)
    ] = None


class Upload(_Answer):
    """How to send the blob: this method, this URL, exactly these header fields."""

    method: Literal["PUT"]
    url: str
    headers: dict[str, str]
    expires_at: Time


class AnnouncementAnswer(_Answer):
    """`POST /vaults/{vault_id}/snapshots`; `upload` is null once the snapshot is available."""

    epoch: Uuid
    snapshot: Snapshot
    upload: Upload | None


class SnapshotAnswer(_Answer):
    """One snapshot."""

    epoch: Uuid
    snapshot: DownloadableSnapshot


class SnapshotsAnswer(_Answer):
    """`GET /vaults/{vault_id}/snapshots`, newest first."""

    epoch: Uuid
    snapshots: ListOf[Snapshot]


class VaultAnswer(_Answer):
    """`GET /vaults/{vault_id}`; `devices` counts members, `bytes` is what `max_vault_bytes` bounds."""

    vault_id: Uuid
    epoch: Uuid
    created_at: Time
    head: HeadAnswer
    floor: HeadAnswer
    devices: int
    bytes: int
    snapshot: Snapshot | None


class ReceiptAnswer(_Answer):
    """Where a pushed changeset stands in the log."""

    id: Uuid
    seq: Seq
    received_at: Time
    chain: ThirtyTwoBytes
    status: Literal["created", "duplicate"]


class PushAnswer(_Answer):
    """`POST /vaults/{vault_id}/changesets`, receipts in the request's order."""

    epoch: Uuid
    head: HeadAnswer
    receipts: ListOf[ReceiptAnswer]


class PulledChangeset(Changeset):
    """A changeset with its place in the log."""

    seq: Seq
    received_at: Time
    chain: ThirtyTwoBytes


class PullAnswer(_Answer):
    """`GET /vaults/{vault_id}/changesets`."""

    epoch: Uuid
    changesets: ListOf[PulledChangeset]
    cursor: Seq
    has_more: bool
    head: HeadAnswer
