"""Vaults and their members, as a log tells of them and is told."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Generic, Literal, TypeVar

from relay.ports.snapshots import SnapshotRecord
from relay_protocol.chain import Head

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Endorsement:
    """What a member signed to let a device join; `expires_at` in Unix seconds, `signature` as base64url."""

    endorser: str
    expires_at: int
    signature: str


@dataclass(frozen=True, slots=True)
class Member:
    """A device registered in a vault, revoked or not."""

    device_id: str
    public_key: bytes
    registered_at_ms: int
    revoked_at_ms: int | None = None
    endorsement: Endorsement | None = None


class Standing(Enum):
    """What a known device is to one vault. An unknown vault and one it never was in are the same: STRANGER."""

    MEMBER = "member"
    REVOKED = "revoked"
    STRANGER = "stranger"


@dataclass(frozen=True, slots=True)
class Signer:
    """A device that was registered in a vault that still exists."""

    public_key: bytes
    standing: Standing


@dataclass(frozen=True, slots=True)
class Device:
    """A device on its own; `registered_at_ms` is its first registration in a vault that still exists."""

    device_id: str
    public_key: bytes
    registered_at_ms: int


@dataclass(frozen=True, slots=True)
class Roster:
    """All devices of a vault, revoked ones too, in order of registration."""

    epoch: str
    members: Sequence[Member]


@dataclass(frozen=True, slots=True)
class PairingState:
    """What a registration depends on. `epoch` and `head` are None unless the vault is live."""

    vault: Literal["absent", "erased", "live"]
    epoch: str | None = None
    head: Head | None = None
    device: Member | None = None
    """The registration of the device that knocks, if there is one."""
    endorser: Member | None = None
    """The registration of the device that endorses it, if there is one."""
    members: int = 0
    """How many devices are registered and not revoked."""


@dataclass(frozen=True, slots=True)
class PairingPlan(Generic[R]):
    """Store `add`, if it is given; with `new_epoch` the vault is created first. `outcome` is the core's own."""

    outcome: R
    add: Member | None = None
    new_epoch: str | None = None


class Revocation(Enum):
    """How a revocation ended. REVOKED also if it had been before: the first time stays."""

    REVOKED = "revoked"
    NOT_FOUND = "not found"
    LAST_MEMBER = "last member"


@dataclass(frozen=True, slots=True)
class VaultInfo:
    """A vault as its members see it. `members` counts those not revoked; `changeset_bytes` the unpruned texts."""

    epoch: str
    created_at_ms: int
    head: Head
    floor: Head
    members: int
    changeset_bytes: int
    snapshots: Sequence[SnapshotRecord]
    """Those that are there at the time asked for, newest first."""
