"""The item of a vault: all that is about it as a whole and does not change with every push."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from relay.adapters.dynamodb import keys
from relay.adapters.dynamodb.entries import EMPTY, Tail
from relay.adapters.dynamodb.values import Item
from relay.ports import SnapshotRecord, Standing
from relay_protocol.chain import Head
from relay_protocol.encoding import base64url


@dataclass(frozen=True, slots=True)
class Vault:
    """A live vault. Each change of its item has a `version` of its own; each fence writes its token here, too."""

    vault_id: str
    epoch: str
    created_at_ms: int
    floor: Head
    floor_bytes: int
    """The size of all texts up to the floor."""
    stripped_seq: int
    """Up to where the texts below the floor are gone."""
    fence: bytes
    active: frozenset[str] = frozenset()
    """The devices that are not revoked."""
    registered: int = 0
    """How many devices ever were registered."""
    available_bytes: int = 0
    covered_seq: int = 0
    pending: dict[str, tuple[int, int]] = field(default_factory=dict)
    """When each pending snapshot expires, and its size, by its SHA-256 as base64url."""
    version: int = 1

    def standing(self, device_id: str, member: Item | None) -> Standing:
        """Return what a device is to this vault; `member` is its item as a member, read at any time before."""
        if device_id in self.active:
            return Standing.MEMBER
        return Standing.REVOKED if member is not None and "revoked" in member else Standing.STRANGER

    def changeset_bytes(self, tail: Tail) -> int:
        """Return the size of the texts that are not pruned."""
        return tail.total_bytes - self.floor_bytes

    def stored_bytes(self, tail: Tail, now_ms: int) -> int:
        """Return the size of the texts and of the snapshots that are there."""
        return self.changeset_bytes(tail) + self.available_bytes + sum(self._pending_sizes(now_ms))

    def pending_count(self, now_ms: int) -> int:
        """Return how many pending snapshots are there."""
        return len(self._pending_sizes(now_ms))

    def with_pending(self, record: SnapshotRecord) -> "Vault":
        """Return the vault with an announced snapshot, in the place of one of the same blob."""
        there = {base64url(record.sha256): (record.expires_at_ms, record.size_bytes)}
        return replace(self, pending=self.pending | there)

    def with_available(self, record: SnapshotRecord) -> "Vault":
        """Return the vault with a pending snapshot made available."""
        digest = base64url(record.sha256)
        return replace(
            self,
            pending={key: value for key, value in self.pending.items() if key != digest},
            available_bytes=self.available_bytes + record.size_bytes,
            covered_seq=max(self.covered_seq, record.covers.seq),
        )

    def with_only(self, records: Sequence[SnapshotRecord]) -> "Vault":
        """Return the vault with the sums over these records."""
        available = [record for record in records if record.available]
        return replace(
            self,
            available_bytes=sum(record.size_bytes for record in available),
            covered_seq=max((record.covers.seq for record in available), default=0),
            pending={
                base64url(record.sha256): (record.expires_at_ms, record.size_bytes)
                for record in records
                if not record.available
            },
        )

    def put(self, *, new: bool = False) -> tuple[Item, str, dict[str, Any]]:
        """Return item, condition and its values of a put that replaces this version by the next one."""
        values = {} if new else {"version": self.version}
        item = {
            **keys.vault(self.vault_id),
            "epoch": self.epoch,
            "created": self.created_at_ms,
            "floor_seq": self.floor.seq,
            "floor_chain": self.floor.chain,
            "floor_bytes": self.floor_bytes,
            "stripped": self.stripped_seq,
            "fence": self.fence,
            "active": self.active,
            "registered": self.registered,
            "available_bytes": self.available_bytes,
            "covered": self.covered_seq,
            "pending": {digest: list(both) for digest, both in self.pending.items()},
            "version": self.version if new else self.version + 1,
        }
        return item, EMPTY if new else "version = :version", values

    def _pending_sizes(self, now_ms: int) -> list[int]:
        return [size_bytes for expires_at_ms, size_bytes in self.pending.values() if now_ms < expires_at_ms]


def vault_of(vault_id: str, item: Item | None) -> Vault | None:
    """Return the vault that an item tells of; None if it is not live."""
    if item is None or "erased" in item:
        return None
    return Vault(
        vault_id=vault_id,
        epoch=item["epoch"],
        created_at_ms=item["created"],
        floor=Head(item["floor_seq"], item["floor_chain"]),
        floor_bytes=item["floor_bytes"],
        stripped_seq=item["stripped"],
        fence=item["fence"],
        active=item.get("active", frozenset()),
        registered=item["registered"],
        available_bytes=item["available_bytes"],
        covered_seq=item["covered"],
        pending={digest: (both[0], both[1]) for digest, both in item["pending"].items()},
        version=item["version"],
    )
