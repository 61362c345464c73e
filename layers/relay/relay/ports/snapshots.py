"""Snapshots, as a log tells of them and is told."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from relay_protocol.chain import Head

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class SnapshotRecord:
    """An announced blob. `blob_key` names it in the store; each announcement draws a new one."""

    sha256: bytes
    size_bytes: int
    key_id: str
    schema_version: int
    covers: Head
    origin_device: str
    created_at_ms: int
    expires_at_ms: int
    """When it is gone unless it was completed."""
    blob_key: str
    available: bool = False

    def is_there(self, now_ms: int) -> bool:
        """Whether it exists at this time: a pending one exists until it expires."""
        return self.available or now_ms < self.expires_at_ms


@dataclass(frozen=True, slots=True)
class AnnounceState:
    """What an announcement depends on."""

    epoch: str
    head: Head
    existing: SnapshotRecord | None
    """The snapshot of the same blob that is there."""
    chain_at_covers: bytes | None
    """The log's chain at the announced `covers.seq`, also below the floor; None past the head."""
    pending: int
    stored_bytes: int


@dataclass(frozen=True, slots=True)
class AnnouncePlan(Generic[R]):
    """Store `add`, if it is given, in the place of an expired one of the same blob. `outcome` is the core's own."""

    outcome: R
    add: SnapshotRecord | None = None
