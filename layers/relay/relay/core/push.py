"""Push: changesets into a vault's log, all or none (§7.6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from relay.ports import AppendPlan, Log, LogState, NewRecord, Receipt, Standing
from relay_protocol.chain import Head, extend
from relay_protocol.errors import (
    ChangesetConflict,
    DeviceRevoked,
    HeadMoved,
    OriginMismatch,
    QuotaExceeded,
    RelayError,
    VaultNotFound,
)

if TYPE_CHECKING:
    from relay_protocol.changeset import Changeset


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push did. `receipts` are in the request's order; `created` tells which of them are new."""

    epoch: str
    head: Head
    receipts: Sequence[Receipt]
    created: frozenset[str]
    uncovered: int
    """How many changesets the log holds past the last one that an available snapshot covers."""


@dataclass(frozen=True, slots=True)
class Push:
    """A device's request to store changesets, if the head still has the chain `if_match` (None: in any case)."""

    vault_id: str
    device_id: str
    changesets: "Sequence[Changeset]"
    if_match: bytes | None
    max_vault_bytes: int
    now_ms: int

    def run(self, log: Log) -> Pushed:
        """Store what is new, in order, in one atomic step.

        Raises OriginMismatch, ChangesetConflict, HeadMoved, QuotaExceeded, DeviceRevoked or VaultNotFound; then
        nothing was stored.
        """
        if any(changeset.origin_device != self.device_id for changeset in self.changesets):
            raise OriginMismatch
        digests = [changeset.digest(self.vault_id) for changeset in self.changesets]
        texts = [changeset.json_text() for changeset in self.changesets]

        def plan(state: LogState) -> AppendPlan[Pushed | RelayError]:
            refusal = self._refusal(state, digests)
            if refusal is not None:
                return AppendPlan(refusal)
            head, receipts, records = state.head, [], []
            for changeset, digest, (text, size_bytes) in zip(self.changesets, digests, texts, strict=True):
                receipt = state.known.get(changeset.id)
                if receipt is None:
                    head = extend(head, digest)
                    receipt = Receipt(changeset.id, digest, head.seq, head.chain, self.now_ms)
                    records.append(NewRecord(receipt, text, size_bytes))
                receipts.append(receipt)
            if records and self.if_match not in {None, state.head.chain}:
                return AppendPlan(HeadMoved(state.head))
            if records and state.stored_bytes + sum(r.size_bytes for r in records) > self.max_vault_bytes:
                return AppendPlan(QuotaExceeded("max_vault_bytes", self.max_vault_bytes))
            created = frozenset(record.receipt.id for record in records)
            uncovered = head.seq - state.covered_seq
            return AppendPlan(Pushed(state.epoch, head, receipts, created, uncovered), records)

        ids = [changeset.id for changeset in self.changesets]
        outcome = log.append(self.vault_id, self.device_id, ids, self.now_ms, plan)
        if outcome is None:
            raise VaultNotFound
        if isinstance(outcome, RelayError):
            raise outcome
        return outcome

    def _refusal(self, state: LogState, digests: Sequence[bytes]) -> RelayError | None:
        if state.standing is not Standing.MEMBER:
            return DeviceRevoked() if state.standing is Standing.REVOKED else VaultNotFound()
        conflicts = [
            changeset.id
            for changeset, digest in zip(self.changesets, digests, strict=True)
            if changeset.id in state.known and state.known[changeset.id].digest != digest
        ]
        return ChangesetConflict(conflicts) if conflicts else None
