"""Snapshots in two phases: announced, uploaded past the relay, completed (§7.8)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from relay.ports import AnnouncePlan, AnnounceState, Blobs, Log, SnapshotRecord
from relay_protocol.chain import Head
from relay_protocol.encoding import base64url, rfc3339
from relay_protocol.errors import (
    BodyTooLarge,
    CoversMismatch,
    CursorAhead,
    QuotaExceeded,
    RelayError,
    SnapshotConflict,
    SnapshotNotFound,
    UploadIncomplete,
    VaultNotFound,
)
from relay_protocol.limits import Limits


@dataclass(frozen=True, slots=True)
class Announced:
    """The snapshot that an announcement ended with; `created` tells whether it is a new one."""

    epoch: str
    snapshot: SnapshotRecord
    created: bool


@dataclass(frozen=True, slots=True)
class Announcement:
    """A device's word that it will upload a blob of this size and SHA-256."""

    vault_id: str
    sha256: bytes
    size_bytes: int
    key_id: str
    schema_version: int
    covers: Head
    origin_device: str
    now_ms: int

    def run(self, log: Log, limits: Limits, blob_id: str) -> Announced:
        """Record the announcement; `blob_id` is a new UUID to keep the blob under.

        Raises BodyTooLarge, SnapshotConflict, CursorAhead, CoversMismatch, QuotaExceeded or VaultNotFound; then
        nothing has changed.
        """
        if self.size_bytes > limits.max_snapshot_bytes:
            raise BodyTooLarge(limits.max_snapshot_bytes)

        def plan(state: AnnounceState) -> AnnouncePlan[Announced | RelayError]:
            if state.existing is not None:
                if not self._is_the_same_as(state.existing):
                    return AnnouncePlan(SnapshotConflict())
                return AnnouncePlan(Announced(state.epoch, state.existing, created=False))
            refusal = self._refusal(state, limits)
            if refusal is not None:
                return AnnouncePlan(refusal)
            record = self._record(limits.upload_ttl_seconds, blob_id)
            return AnnouncePlan(Announced(state.epoch, record, created=True), add=record)

        outcome = log.announce(self.vault_id, self.sha256, self.covers.seq, self.now_ms, plan)
        if outcome is None:
            raise VaultNotFound
        if isinstance(outcome, RelayError):
            raise outcome
        return outcome

    def _is_the_same_as(self, record: SnapshotRecord) -> bool:
        return (record.size_bytes, record.key_id, record.schema_version, record.covers) == (
            self.size_bytes,
            self.key_id,
            self.schema_version,
            self.covers,
        )

    def _refusal(self, state: AnnounceState, limits: Limits) -> RelayError | None:
        if self.covers.seq > state.head.seq:
            return CursorAhead(state.head)
        if self.covers.chain != state.chain_at_covers:
            return CoversMismatch()
        if state.pending >= limits.max_pending_snapshots:
            return QuotaExceeded("max_pending_snapshots", limits.max_pending_snapshots)
        if state.stored_bytes + self.size_bytes > limits.max_vault_bytes:
            return QuotaExceeded("max_vault_bytes", limits.max_vault_bytes)
        return None

    def _record(self, upload_ttl_seconds: int, blob_id: str) -> SnapshotRecord:
        return SnapshotRecord(
            sha256=self.sha256,
            size_bytes=self.size_bytes,
            key_id=self.key_id,
            schema_version=self.schema_version,
            covers=self.covers,
            origin_device=self.origin_device,
            created_at_ms=self.now_ms,
            expires_at_ms=self.now_ms + upload_ttl_seconds * 1000,
            blob_key=f"{self.vault_id}/{blob_id}",
        )


def snapshot(log: Log, vault_id: str, sha256: bytes, now_ms: int) -> tuple[str, SnapshotRecord]:
    """Return epoch and the snapshot of this blob, a pending one too. Raises VaultNotFound or SnapshotNotFound."""
    found = log.snapshot(vault_id, sha256, now_ms)
    if found is None:
        raise VaultNotFound
    epoch, record = found
    if record is None:
        raise SnapshotNotFound
    return epoch, record


def complete(log: Log, blobs: Blobs, vault_id: str, sha256: bytes, now_ms: int) -> tuple[str, SnapshotRecord]:
    """Make an uploaded snapshot available. Raises UploadIncomplete, SnapshotNotFound or VaultNotFound."""
    epoch, record = snapshot(log, vault_id, sha256, now_ms)
    if record.available:
        return epoch, record
    stat = blobs.stat(record.blob_key)
    if stat is None or (stat.size_bytes, stat.sha256) != (record.size_bytes, record.sha256):
        raise UploadIncomplete
    completed = log.complete(vault_id, record.blob_key, now_ms)
    if completed is None:
        raise SnapshotNotFound
    return epoch, completed


def latest_of(snapshots: Sequence[SnapshotRecord]) -> SnapshotRecord | None:
    """Return the available snapshot with the highest `covers.seq`, the newest among equals."""
    available = [record for record in snapshots if record.available]
    return max(available, key=lambda record: (record.covers.seq, record.created_at_ms), default=None)


def as_json(record: SnapshotRecord) -> dict[str, Any]:
    """Return a snapshot as the wire has it, without `download`."""
    return {
        "sha256": base64url(record.sha256),
        "size": record.size_bytes,
        "key_id": record.key_id,
        "schema_version": record.schema_version,
        "covers": record.covers.as_json(),
        "origin_device": record.origin_device,
        "status": "available" if record.available else "pending",
        "created_at": rfc3339(record.created_at_ms),
    }
