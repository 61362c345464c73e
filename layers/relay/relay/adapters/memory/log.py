"""The log in memory, under one lock: simple enough to be the model of what the port guarantees."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from threading import Lock
from typing import TypeVar

from relay.ports import (
    AnnouncePlan,
    AnnounceState,
    AppendPlan,
    Device,
    LogState,
    Member,
    Page,
    PairingPlan,
    PairingState,
    PruneStep,
    Receipt,
    Record,
    Revocation,
    Roster,
    Signer,
    SnapshotRecord,
    Standing,
    VaultInfo,
)
from relay_protocol.chain import Head, genesis

R = TypeVar("R")


@dataclass(slots=True)
class _Vault:
    """A live vault. `records` are the changesets that are not pruned, by seq; `receipts` are those of all, in order."""

    vault_id: str
    epoch: str
    created_at_ms: int
    members: dict[str, Member] = field(default_factory=dict)
    receipts: list[Receipt] = field(default_factory=list)
    records: dict[int, Record] = field(default_factory=dict)
    floor: Head = field(init=False)
    snapshots: dict[bytes, SnapshotRecord] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.floor = genesis(self.vault_id)

    @property
    def head(self) -> Head:
        return self.at(len(self.receipts))

    def at(self, seq: int) -> Head:
        return Head(seq, self.receipts[seq - 1].chain) if seq else genesis(self.vault_id)

    @property
    def member_count(self) -> int:
        return sum(member.revoked_at_ms is None for member in self.members.values())

    @property
    def covered_seq(self) -> int:
        return max((record.covers.seq for record in self.snapshots.values() if record.available), default=0)

    @property
    def changeset_bytes(self) -> int:
        return sum(record.size_bytes for record in self.records.values())

    def snapshots_there(self, now_ms: int) -> list[SnapshotRecord]:
        there = [record for record in self.snapshots.values() if record.is_there(now_ms)]
        return sorted(there, key=lambda record: record.created_at_ms, reverse=True)

    def stored_bytes(self, now_ms: int) -> int:
        return self.changeset_bytes + sum(record.size_bytes for record in self.snapshots_there(now_ms))

    def standing(self, device_id: str) -> Standing:
        member = self.members.get(device_id)
        if member is None:
            return Standing.STRANGER
        return Standing.MEMBER if member.revoked_at_ms is None else Standing.REVOKED


class MemoryLog:
    """`relay.ports.Log` under one lock. See there for what each method guarantees."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._vaults: dict[str, _Vault] = {}
        self._erased: set[str] = set()

    def ping(self) -> None:
        """See `Log.ping`."""

    # -------- members

    def find_signer(self, device_id: str, vault_id: str | None) -> Signer | None:
        """See `Log.find_signer`."""
        with self._lock:
            registrations = self._registrations(device_id)
            if not registrations:
                return None
            vault = self._vaults.get(vault_id or "")
            standing = vault.standing(device_id) if vault else Standing.STRANGER
            return Signer(registrations[0].public_key, standing)

    def register(
        self,
        vault_id: str,
        device_id: str,
        endorser_id: str | None,
        now_ms: int,
        plan: Callable[[PairingState], PairingPlan[R]],
    ) -> R:
        """See `Log.register`."""
        with self._lock:
            vault = self._vaults.get(vault_id)
            decided = plan(self._pairing_state(vault_id, device_id, endorser_id))
            if decided.new_epoch is not None:
                assert vault is None
                assert vault_id not in self._erased
                vault = self._vaults[vault_id] = _Vault(vault_id, decided.new_epoch, now_ms)
            if decided.add is not None:
                assert vault is not None
                assert decided.add.device_id not in vault.members
                vault.members[decided.add.device_id] = decided.add
            return decided.outcome

    def _pairing_state(self, vault_id: str, device_id: str, endorser_id: str | None) -> PairingState:
        vault = self._vaults.get(vault_id)
        if vault is None:
            return PairingState("erased" if vault_id in self._erased else "absent")
        return PairingState(
            vault="live",
            epoch=vault.epoch,
            head=vault.head,
            device=vault.members.get(device_id),
            endorser=vault.members.get(endorser_id or ""),
            members=vault.member_count,
        )

    def companion(self, signer_id: str, device_id: str) -> Device | None:
        """See `Log.companion`."""
        with self._lock:
            met = device_id == signer_id or any(
                device_id in vault.members and vault.standing(signer_id) is Standing.MEMBER
                for vault in self._vaults.values()
            )
            registrations = self._registrations(device_id) if met else []
            if not registrations:
                return None
            first_ms = min(member.registered_at_ms for member in registrations)
            return Device(device_id, registrations[0].public_key, first_ms)

    def _registrations(self, device_id: str) -> list[Member]:
        return [vault.members[device_id] for vault in self._vaults.values() if device_id in vault.members]

    def roster(self, vault_id: str) -> Roster | None:
        """See `Log.roster`."""
        with self._lock:
            vault = self._vaults.get(vault_id)
            return Roster(vault.epoch, list(vault.members.values())) if vault else None

    def revoke(self, vault_id: str, device_id: str, now_ms: int) -> Revocation:
        """See `Log.revoke`."""
        with self._lock:
            vault = self._vaults.get(vault_id)
            member = vault.members.get(device_id) if vault else None
            if vault is None or member is None:
                return Revocation.NOT_FOUND
            if member.revoked_at_ms is not None:
                return Revocation.REVOKED
            if vault.member_count == 1:
                return Revocation.LAST_MEMBER
            vault.members[device_id] = replace(member, revoked_at_ms=now_ms)
            return Revocation.REVOKED

    # -------- vaults

    def vault(self, vault_id: str, now_ms: int) -> VaultInfo | None:
        """See `Log.vault`."""
        with self._lock:
            vault = self._vaults.get(vault_id)
            if vault is None:
                return None
            return VaultInfo(
                epoch=vault.epoch,
                created_at_ms=vault.created_at_ms,
                head=vault.head,
                floor=vault.floor,
                members=vault.member_count,
                changeset_bytes=vault.changeset_bytes,
                snapshots=vault.snapshots_there(now_ms),
            )

    def erase(self, vault_id: str, if_match: bytes) -> Head | None:
        """See `Log.erase`. Nothing is left to sweep."""
        with self._lock:
            vault = self._vaults.get(vault_id)
            if vault is None:
                return None
            if vault.head.chain != if_match:
                return vault.head
            del self._vaults[vault_id]
            self._erased.add(vault_id)
            return None

    def sweep(self, max_rows: int) -> bool:
        """See `Log.sweep`."""
        assert max_rows > 0
        return False

    def reap(self, after: str, limit: int) -> str | None:  # noqa: ARG002 -- the port's
        """See `Log.reap`. Nothing is put aside."""
        return None

    def renew_epochs(self, draw: Callable[[], str]) -> int:
        """See `Log.renew_epochs`."""
        with self._lock:
            for vault in self._vaults.values():
                vault.epoch = draw()
            return len(self._vaults)

    def vault_ids(self, after: str, limit: int) -> Sequence[str]:
        """See `Log.vault_ids`."""
        with self._lock:
            ids = [vault.vault_id for vault in self._vaults.values()]
            return sorted(vault_id for vault_id in ids if vault_id > after)[:limit]

    # -------- changesets

    def append(
        self,
        vault_id: str,
        device_id: str,
        ids: Sequence[str],
        now_ms: int,
        plan: Callable[[LogState], AppendPlan[R]],
    ) -> R | None:
        """See `Log.append`."""
        with self._lock:
            vault = self._vaults.get(vault_id)
            if vault is None:
                return None
            state = LogState(
                epoch=vault.epoch,
                head=vault.head,
                stored_bytes=vault.stored_bytes(now_ms),
                covered_seq=vault.covered_seq,
                standing=vault.standing(device_id),
                known={receipt.id: receipt for receipt in vault.receipts if receipt.id in ids},
            )
            decided = plan(state)
            stored = {receipt.id for receipt in vault.receipts}
            for seq, new in enumerate(decided.records, state.head.seq + 1):
                assert new.receipt.seq == seq
                assert new.receipt.id not in stored
            for new in decided.records:
                at = new.receipt
                vault.receipts.append(at)
                vault.records[at.seq] = Record(at.seq, at.chain, at.received_at_ms, new.text, new.size_bytes)
            return decided.outcome

    def page(self, vault_id: str, since: int, limit: int, max_bytes: int) -> Page | None:
        """See `Log.page`."""
        with self._lock:
            vault = self._vaults.get(vault_id)
            if vault is None:
                return None
            records: list[Record] = []
            total_bytes = 0
            last = min(since + limit, vault.head.seq)
            for seq in range(since + 1, last + 1) if since >= vault.floor.seq else ():
                total_bytes += vault.records[seq].size_bytes
                if records and total_bytes > max_bytes:
                    break
                records.append(vault.records[seq])
            return Page(vault.epoch, vault.head, vault.floor, records)

    def prune(self, vault_id: str, received_before_ms: int, max_rows: int) -> PruneStep | None:
        """See `Log.prune`."""
        assert max_rows > 0
        with self._lock:
            vault = self._vaults.get(vault_id)
            if vault is None:
                return None
            candidates = vault.receipts[vault.floor.seq : vault.covered_seq]
            old = list(takewhile(lambda receipt: receipt.received_at_ms < received_before_ms, candidates))
            for receipt in old[:max_rows]:
                del vault.records[receipt.seq]
                vault.floor = Head(receipt.seq, receipt.chain)
            return PruneStep(vault.floor, more=len(old) > max_rows)

    # -------- snapshots

    def announce(
        self,
        vault_id: str,
        sha256: bytes,
        covers_seq: int,
        now_ms: int,
        plan: Callable[[AnnounceState], AnnouncePlan[R]],
    ) -> R | None:
        """See `Log.announce`."""
        with self._lock:
            vault = self._vaults.get(vault_id)
            if vault is None:
                return None
            there = vault.snapshots_there(now_ms)
            state = AnnounceState(
                epoch=vault.epoch,
                head=vault.head,
                existing=next((record for record in there if record.sha256 == sha256), None),
                chain_at_covers=vault.at(covers_seq).chain if covers_seq <= vault.head.seq else None,
                pending=sum(not record.available for record in there),
                stored_bytes=vault.stored_bytes(now_ms),
            )
            decided = plan(state)
            if decided.add is not None:
                vault.snapshots[decided.add.sha256] = decided.add
            return decided.outcome

    def snapshot(self, vault_id: str, sha256: bytes, now_ms: int) -> tuple[str, SnapshotRecord | None] | None:
        """See `Log.snapshot`."""
        with self._lock:
            vault = self._vaults.get(vault_id)
            if vault is None:
                return None
            record = vault.snapshots.get(sha256)
            return vault.epoch, record if record and record.is_there(now_ms) else None

    def complete(self, vault_id: str, blob_key: str, now_ms: int) -> SnapshotRecord | None:
        """See `Log.complete`."""
        with self._lock:
            vault = self._vaults.get(vault_id)
            for record in vault.snapshots_there(now_ms) if vault else ():
                if vault and record.blob_key == blob_key:
                    vault.snapshots[record.sha256] = completed = replace(record, available=True)
                    return completed
            return None

    def drop_snapshots(self, vault_id: str, blob_keys: Sequence[str], now_ms: int) -> None:
        """See `Log.drop_snapshots`."""
        with self._lock:
            vault = self._vaults.get(vault_id)
            if vault:
                vault.snapshots = {
                    digest: record
                    for digest, record in vault.snapshots.items()
                    if record.blob_key not in blob_keys and record.is_there(now_ms)
                }
