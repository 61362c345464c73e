"""Retention (§8): what is dropped, when, and never before a snapshot holds it.

A run does a step of each part of its work in turn, and each step is bounded, however much there is to do: so a run can
end after any of them, and no part waits for another to be done. What a run leaves, later ones do. Each goes round from
a place of its own, drawn at random: so all is reached in time, however little each of them gets done.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby, islice

from relay.core.snapshots import latest_of
from relay.core.vaults import SWEEP_ROWS
from relay.ports import Blobs, Limiter, Log, SnapshotRecord
from relay_protocol.limits import Retention

DAY_MS = 24 * 3600 * 1000
PRUNE_ROWS = 1_000
VAULTS_AT_A_TIME = 500
SNAPSHOTS_AT_A_TIME = 100
BLOBS_AT_A_TIME = 100
PUT_ASIDE_AT_A_TIME = 1_000


@dataclass(slots=True)
class Tally:
    """What one run did."""

    vaults: int = 0
    pruned_changesets: int = 0
    dropped_snapshots: int = 0
    orphaned_blobs: int = 0
    finished: bool = False
    """Whether nothing was left for want of time."""

    def as_json(self) -> dict[str, int]:
        """Return the counts by name."""
        return asdict(self)


_ENDED = object()


def _always() -> bool:
    return True


def run(
    log: Log,
    blobs: Blobs,
    limiter: Limiter,
    retention: Retention,
    now_us: int,
    *,
    start: str = "",
    has_time: Callable[[], bool] = _always,
) -> Tally:
    """Apply retention to every vault, in small steps, so that pushes need not wait. Repeating it is safe.

    After a step of each part it is asked whether there is time for another. `start` is a UUID: where to go round from.
    """
    run = _Run(log, blobs, retention, now_us // 1000, start, Tally())
    parts = [run.sweep(), run.keep_vaults(), run.delete_orphans(), run.reap()]
    limiter.forget(now_us)
    while parts:
        parts = [part for part in parts if next(part, _ENDED) is not _ENDED]
        if not has_time():
            break
    run.tally.finished = not parts
    return run.tally


def to_drop(snapshots: Sequence[SnapshotRecord], keep: int) -> list[SnapshotRecord]:
    """Return the available snapshots that go: all but the newest `keep` and the one that covers most."""
    available = sorted(
        (record for record in snapshots if record.available),
        key=lambda record: record.created_at_ms,
        reverse=True,
    )
    most = latest_of(available)
    return [record for record in available[keep:] if record is not most]


@dataclass(frozen=True, slots=True)
class _Run:
    """One run. Each part yields after each of its steps."""

    log: Log
    blobs: Blobs
    retention: Retention
    now_ms: int
    start: str
    tally: Tally

    def sweep(self) -> Iterator[None]:
        """Remove the rows that erasures left."""
        while self.log.sweep(SWEEP_ROWS):
            yield

    def keep_vaults(self) -> Iterator[None]:
        """Drop snapshots and prune, vault by vault."""
        for vault_id in _round(self.start, self._vault_ids):
            self.tally.vaults += 1
            yield from self._keep(vault_id)

    def delete_orphans(self) -> Iterator[None]:
        """Delete each blob that no record names. Its record was there before any byte of it, so it is gone for good.

        Blobs are listed before the records of their vault are read: one that is announced meanwhile is not among them.
        """
        keys = _round(self.start, self.blobs.keys)
        while listed := list(islice(keys, BLOBS_AT_A_TIME)):
            for vault_id, of_vault in groupby(listed, key=lambda blob_key: blob_key.partition("/")[0]):
                info = self.log.vault(vault_id, self.now_ms)
                named = {record.blob_key for record in info.snapshots} if info else set()
                for blob_key in of_vault:
                    if blob_key not in named:
                        self.blobs.delete(blob_key)
                        self.tally.orphaned_blobs += 1
            yield

    def reap(self) -> Iterator[None]:
        """Remove what appends put aside that never ended."""
        for _ in _round(self.start, self._reaped):
            yield

    def _vault_ids(self, after: str) -> Iterator[str]:
        while ids := self.log.vault_ids(after, VAULTS_AT_A_TIME):
            yield from ids
            after = ids[-1]

    def _reaped(self, after: str) -> Iterator[str]:
        place: str | None = after
        while place is not None:
            place = self.log.reap(place, PUT_ASIDE_AT_A_TIME)
            if place is not None:
                yield place

    def _keep(self, vault_id: str) -> Iterator[None]:
        while info := self.log.vault(vault_id, self.now_ms):
            going = to_drop(info.snapshots, self.retention.snapshots)[:SNAPSHOTS_AT_A_TIME]
            self._drop(vault_id, going)
            has_more = self._prune(vault_id, info.floor.seq)
            yield
            if len(going) < SNAPSHOTS_AT_A_TIME and not has_more:
                return

    def _drop(self, vault_id: str, going: Sequence[SnapshotRecord]) -> None:
        """Remove records first, then blobs: a crash between them leaves an orphan, never a record without its blob."""
        self.log.drop_snapshots(vault_id, [record.blob_key for record in going], self.now_ms)
        for record in going:
            self.blobs.delete(record.blob_key)
        self.tally.dropped_snapshots += len(going)

    def _prune(self, vault_id: str, floor_seq: int) -> bool:
        """Prune a step; return whether there is more to prune."""
        received_before_ms = self.now_ms - self.retention.changeset_days * DAY_MS
        step = self.log.prune(vault_id, received_before_ms, PRUNE_ROWS)
        if step is None:
            return False
        self.tally.pruned_changesets += step.floor.seq - floor_seq
        return step.more


def _round(start: str, after: Callable[[str], Iterator[str]]) -> Iterator[str]:
    """Yield what is listed after `start`, then what is before it. `after` lists in ascending order from a place on."""
    yield from after(start)
    for found in after("") if start else ():
        if found > start:
            break
        yield found
