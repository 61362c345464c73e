"""The log in several files, so that writers of different vaults need not wait for each other.

All that is of one vault lies in one file: what is one step in one file is one step here. Nothing is written across
files. A device that is in vaults of several is a row in each.
"""

from collections.abc import Callable, Sequence
from heapq import merge
from itertools import islice
from pathlib import Path
from typing import TypeVar

from relay.adapters.sqlite.connections import Journal
from relay.adapters.sqlite.database import BUSY_TIMEOUT_SECONDS
from relay.adapters.sqlite.layout import ShardFolder, shard_of
from relay.adapters.sqlite.log import SqliteLog
from relay.ports import (
    AnnouncePlan,
    AnnounceState,
    AppendPlan,
    Device,
    LogState,
    Page,
    PairingPlan,
    PairingState,
    PruneStep,
    Revocation,
    Roster,
    Signer,
    SnapshotRecord,
    VaultInfo,
)
from relay_protocol.chain import Head

R = TypeVar("R")


class ShardedSqliteLog:
    """`relay.ports.Log` in the files of one data directory, shared by all threads and processes that open it.

    What is asked of several vaults at once is put together from the files one by one: of what changes meanwhile, some
    may be seen and some not.
    """

    def __init__(
        self,
        data_dir: Path,
        shards: int,
        *,
        journal: Journal = "wal",
        busy_timeout_seconds: float = BUSY_TIMEOUT_SECONDS,
    ) -> None:
        def make(path: Path) -> None:
            made = SqliteLog(path, journal=journal, busy_timeout_seconds=busy_timeout_seconds)
            made.ping()
            made.close()

        folder = ShardFolder(data_dir, shards, make)
        self._shards = [
            SqliteLog(
                path, journal=journal, busy_timeout_seconds=busy_timeout_seconds, prepare=folder.open, may_create=False
            )
            for path in folder.paths
        ]

    def _of(self, vault_id: str) -> SqliteLog:
        return self._shards[shard_of(vault_id.encode(), len(self._shards))]

    def close(self) -> None:
        """Close the files."""
        for shard in self._shards:
            shard.close()

    # -------- of all shards

    def ping(self) -> None:
        """See `Log.ping`."""
        for shard in self._shards:
            shard.ping()

    def find_signer(self, device_id: str, vault_id: str | None) -> Signer | None:
        """See `Log.find_signer`. Looks into the vault's own shard first; for a member that is all."""
        first = self._of(vault_id or "")
        found = first.find_signer(device_id, vault_id)
        others = (shard for shard in self._shards if shard is not first)
        while found is None and (shard := next(others, None)):
            found = shard.find_signer(device_id, None)
        return found

    def companion(self, signer_id: str, device_id: str) -> Device | None:
        """See `Log.companion`."""
        registered: list[Device] = []
        are_companions = signer_id == device_id
        for shard in self._shards:
            if device := shard.companion(device_id, device_id):
                registered.append(device)
                are_companions = are_companions or shard.companion(signer_id, device_id) is not None
        first = min(registered, key=lambda device: device.registered_at_ms, default=None)
        return first if are_companions else None

    def renew_epochs(self, draw: Callable[[], str]) -> int:
        """See `Log.renew_epochs`."""
        return sum(shard.renew_epochs(draw) for shard in self._shards)

    def vault_ids(self, after: str, limit: int) -> Sequence[str]:
        """See `Log.vault_ids`."""
        return list(islice(merge(*(shard.vault_ids(after, limit) for shard in self._shards)), limit))

    def sweep(self, max_rows: int) -> bool:
        """See `Log.sweep`. A step is of one shard; where none has anything to remove, all are scrubbed."""
        unswept = [shard for shard in self._shards if shard.is_unswept()]
        if unswept:
            return unswept[0].sweep(max_rows) or len(unswept) > 1
        for shard in self._shards:
            shard.scrub()
        return False

    def reap(self, after: str, limit: int) -> str | None:
        """See `Log.reap`."""
        return self._shards[0].reap(after, limit)

    # -------- of one vault's shard

    def register(
        self,
        vault_id: str,
        device_id: str,
        endorser_id: str | None,
        now_ms: int,
        plan: Callable[[PairingState], PairingPlan[R]],
    ) -> R:
        """See `Log.register`."""
        return self._of(vault_id).register(vault_id, device_id, endorser_id, now_ms, plan)

    def roster(self, vault_id: str) -> Roster | None:
        """See `Log.roster`."""
        return self._of(vault_id).roster(vault_id)

    def revoke(self, vault_id: str, device_id: str, now_ms: int) -> Revocation:
        """See `Log.revoke`."""
        return self._of(vault_id).revoke(vault_id, device_id, now_ms)

    def vault(self, vault_id: str, now_ms: int) -> VaultInfo | None:
        """See `Log.vault`."""
        return self._of(vault_id).vault(vault_id, now_ms)

    def erase(self, vault_id: str, if_match: bytes) -> Head | None:
        """See `Log.erase`."""
        return self._of(vault_id).erase(vault_id, if_match)

    def append(
        self,
        vault_id: str,
        device_id: str,
        ids: Sequence[str],
        now_ms: int,
        plan: Callable[[LogState], AppendPlan[R]],
    ) -> R | None:
        """See `Log.append`."""
        return self._of(vault_id).append(vault_id, device_id, ids, now_ms, plan)

    def page(self, vault_id: str, since: int, limit: int, max_bytes: int) -> Page | None:
        """See `Log.page`."""
        return self._of(vault_id).page(vault_id, since, limit, max_bytes)

    def announce(
        self,
        vault_id: str,
        sha256: bytes,
        covers_seq: int,
        now_ms: int,
        plan: Callable[[AnnounceState], AnnouncePlan[R]],
    ) -> R | None:
        """See `Log.announce`."""
        return self._of(vault_id).announce(vault_id, sha256, covers_seq, now_ms, plan)

    def snapshot(self, vault_id: str, sha256: bytes, now_ms: int) -> tuple[str, SnapshotRecord | None] | None:
        """See `Log.snapshot`."""
        return self._of(vault_id).snapshot(vault_id, sha256, now_ms)

    def complete(self, vault_id: str, blob_key: str, now_ms: int) -> SnapshotRecord | None:
        """See `Log.complete`."""
        return self._of(vault_id).complete(vault_id, blob_key, now_ms)

    def drop_snapshots(self, vault_id: str, blob_keys: Sequence[str], now_ms: int) -> None:
        """See `Log.drop_snapshots`."""
        self._of(vault_id).drop_snapshots(vault_id, blob_keys, now_ms)

    def prune(self, vault_id: str, received_before_ms: int, max_rows: int) -> PruneStep | None:
        """See `Log.prune`."""
        return self._of(vault_id).prune(vault_id, received_before_ms, max_rows)
