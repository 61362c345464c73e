"""Retention (§8): what is dropped, when, and never before a snapshot holds it."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby

from relay.core.snapshots import latest_of
from relay.core.vaults import SWEEP_ROWS
from relay.ports import Blobs, Limiter, Log, SnapshotRecord
from relay_protocol.limits import Retention

DAY_MS = 24 * 3600 * 1000
PRUNE_ROWS = 1_000
VAULTS_AT_A_TIME = 500


@dataclass(slots=True)
class Tally:
    """What one run did."""

    vaults: int = 0
    pruned_changesets: int = 0
    dropped_snapshots: int = 0
    orphaned_blobs: int = 0

    def as_json(self) -> dict[str, int]:
        """Return the counts by name."""
        return asdict(self)


def run(log: Log, blobs: Blobs, limiter: Limiter, retention: Retention, now_us: int) -> Tally:
    """Apply retention once to every vault, in small steps, so that pushes need not wait. Repeating it is safe."""
    tally, now_ms = Tally(), now_us // 1000
    while log.sweep(SWEEP_ROWS):
        pass
    for vault_id in _vault_ids(log):
        tally.vaults += 1
        tally.dropped_snapshots += _drop_snapshots(log, blobs, vault_id, retention.snapshots, now_ms)
        tally.pruned_changesets += _prune(log, vault_id, now_ms - retention.changeset_days * DAY_MS)
    tally.orphaned_blobs = _delete_orphans(log, blobs, now_ms)
    limiter.forget(now_us)
    return tally


def to_drop(snapshots: Sequence[SnapshotRecord], keep: int) -> list[SnapshotRecord]:
    """Return the available snapshots that go: all but the newest `keep` and the one that covers most."""
    available = sorted(
        (record for record in snapshots if record.available),
        key=lambda record: record.created_at_ms,
        reverse=True,
    )
    most = latest_of(available)
    return [record for record in available[keep:] if record is not most]


def _vault_ids(log: Log) -> Iterator[str]:
    after = ""
    while ids := log.vault_ids(after, VAULTS_AT_A_TIME):
        yield from ids
        after = ids[-1]


def _drop_snapshots(log: Log, blobs: Blobs, vault_id: str, keep: int, now_ms: int) -> int:
    """Remove records first, then blobs: a crash between them leaves an orphan, never a record without its blob."""
    info = log.vault(vault_id, now_ms)
    going = to_drop(info.snapshots, keep) if info else []
    log.drop_snapshots(vault_id, [record.blob_key for record in going], now_ms)
    for record in going:
        blobs.delete(record.blob_key)
    return len(going)


def _prune(log: Log, vault_id: str, received_before_ms: int) -> int:
    info = log.vault(vault_id, received_before_ms)
    if info is None:
        return 0
    floor = info.floor
    while step := log.prune(vault_id, received_before_ms, PRUNE_ROWS):
        floor = step.floor
        if not step.more:
            break
    return floor.seq - info.floor.seq


def _delete_orphans(log: Log, blobs: Blobs, now_ms: int) -> int:
    """Delete each blob that no record names. Its record was there before any byte of it, so it is gone for good.

    A vault's blobs are listed before its records are read: one that is announced meanwhile is not among them.
    """
    orphans = 0
    for vault_id, of_vault in groupby(blobs.keys(), key=lambda blob_key: blob_key.partition("/")[0]):
        stored = list(of_vault)
        info = log.vault(vault_id, now_ms)
        named = {record.blob_key for record in info.snapshots} if info else set()
        for blob_key in stored:
            if blob_key not in named:
                blobs.delete(blob_key)
                orphans += 1
    return orphans
