"""The protocol in its plainest form: dictionaries, lists and no store. The real relay is held against it.

It shares no code with the relay: digests, chains and times are written here a second time, from docs/protocol.md.
"""

import json
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

Json = dict[str, Any]

FIELDS = (
    *("id", "origin_device", "origin_user", "timestamp", "operation_type", "entity", "entity_id", "schema_version"),
    *("key_id", "nonce", "ciphertext"),
)


def pae(*pieces: str | int | bytes) -> bytes:
    """Put pieces together as §2 says."""
    raw = [piece if isinstance(piece, bytes) else str(piece).encode() for piece in pieces]
    return len(raw).to_bytes(8, "little") + b"".join(len(one).to_bytes(8, "little") + one for one in raw)


def base64url(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def rfc3339(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms // 1000, UTC):%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03}Z"


def genesis(vault_id: str) -> bytes:
    return sha256(pae("sync-relay/genesis/v1", vault_id)).digest()


def digest_of(vault_id: str, changeset: Json) -> bytes:
    return sha256(pae("sync-relay/changeset/v1", vault_id, *(changeset[name] for name in FIELDS))).digest()


def link(chain: bytes, digest: bytes) -> bytes:
    return sha256(pae("sync-relay/chain/v1", chain, digest)).digest()


def size_of(changeset: Json) -> int:
    """What a changeset counts for (§7.5)."""
    return len(json.dumps(changeset, ensure_ascii=False, separators=(",", ":")).encode())


@dataclass
class Entry:
    """A place in the log, kept for ever; what was sent counts as gone once it is at or below the floor."""

    changeset: Json
    seq: int
    digest: bytes
    chain: bytes
    received_at_ms: int

    def receipt(self, status: str) -> Json:
        told = {"id": self.changeset["id"], "seq": self.seq, "received_at": rfc3339(self.received_at_ms)}
        return told | {"chain": base64url(self.chain), "status": status}

    def pulled(self) -> Json:
        place = {"seq": self.seq, "received_at": rfc3339(self.received_at_ms), "chain": base64url(self.chain)}
        return place | self.changeset


@dataclass
class Registration:
    """A device in a vault."""

    public_key: str
    registered_at_ms: int
    endorsement: Json | None
    revoked_at_ms: int | None = None

    @property
    def is_member(self) -> bool:
        return self.revoked_at_ms is None


@dataclass(eq=False)
class Announcement:
    """A snapshot, and whether its blob lies in the store."""

    body: Json
    origin_device: str
    created_at_ms: int
    expires_at_ms: int
    blob: bytes
    available: bool = False
    uploaded: bool = False

    @property
    def covered(self) -> int:
        return int(self.body["covers"]["seq"])

    def is_there(self, now_ms: int) -> bool:
        return self.available or now_ms < self.expires_at_ms

    def told(self) -> Json:
        status = "available" if self.available else "pending"
        times = {"created_at": rfc3339(self.created_at_ms)}
        return self.body | {"origin_device": self.origin_device, "status": status} | times


@dataclass
class PlainVault:
    """A live vault."""

    id: str
    epoch: str
    created_at_ms: int
    devices: dict[str, Registration] = field(default_factory=dict)
    log: list[Entry] = field(default_factory=list)
    floor_seq: int = 0
    snapshots: list[Announcement] = field(default_factory=list)

    # -------- what it is

    @property
    def members(self) -> list[str]:
        return [device_id for device_id, one in self.devices.items() if one.is_member]

    def chain_at(self, seq: int) -> bytes:
        return self.log[seq - 1].chain if seq else genesis(self.id)

    def place(self, seq: int) -> Json:
        return {"seq": seq, "chain": base64url(self.chain_at(seq))}

    @property
    def head(self) -> Json:
        return self.place(len(self.log))

    @property
    def floor(self) -> Json:
        return self.place(self.floor_seq)

    def entry(self, changeset_id: str) -> Entry | None:
        return next((one for one in self.log if one.changeset["id"] == changeset_id), None)

    def snapshots_there(self, now_ms: int) -> list[Announcement]:
        """Newest first."""
        there = [one for one in self.snapshots if one.is_there(now_ms)]
        return sorted(there, key=lambda one: one.created_at_ms, reverse=True)

    def snapshot(self, sha256: str, now_ms: int) -> Announcement | None:
        return next((one for one in self.snapshots_there(now_ms) if one.body["sha256"] == sha256), None)

    @property
    def available(self) -> list[Announcement]:
        return [one for one in self.snapshots if one.available]

    @property
    def latest(self) -> Announcement | None:
        return max(self.available, key=lambda one: (one.covered, one.created_at_ms), default=None)

    @property
    def covered_seq(self) -> int:
        return max((one.covered for one in self.available), default=0)

    def stored_bytes(self, now_ms: int) -> int:
        changesets = sum(size_of(one.changeset) for one in self.log[self.floor_seq :])
        return changesets + sum(int(one.body["size"]) for one in self.snapshots_there(now_ms))

    def told(self, now_ms: int) -> Json:
        """What `GET /vaults/{vault_id}` answers."""
        return {
            "vault_id": self.id,
            "epoch": self.epoch,
            "created_at": rfc3339(self.created_at_ms),
            "head": self.head,
            "floor": self.floor,
            "devices": len(self.members),
            "bytes": self.stored_bytes(now_ms),
            "snapshot": self.latest.told() if self.latest else None,
        }

    def roster(self) -> Json:
        return {
            "epoch": self.epoch,
            "devices": [
                {
                    "device_id": device_id,
                    "public_key": one.public_key,
                    "registered_at": rfc3339(one.registered_at_ms),
                    "revoked_at": None if one.revoked_at_ms is None else rfc3339(one.revoked_at_ms),
                    "endorsement": one.endorsement,
                }
                for device_id, one in self.devices.items()
            ],
        }

    # -------- what becomes of it

    def store(self, changesets: Sequence[Json], now_ms: int) -> list[Json]:
        """Store those that are new; return the receipts of all."""
        receipts = []
        for changeset in changesets:
            entry, status = self.entry(changeset["id"]), "duplicate"
            if entry is None:
                digest, status = digest_of(self.id, changeset), "created"
                chain = link(self.chain_at(len(self.log)), digest)
                entry = Entry(changeset, len(self.log) + 1, digest, chain, now_ms)
                self.log.append(entry)
            receipts.append(entry.receipt(status))
        return receipts

    def retain(self, keep: int, received_before_ms: int, now_ms: int) -> None:
        """Drop snapshots and prune, as §8 says."""
        newest = sorted(self.available, key=lambda one: one.created_at_ms, reverse=True)[:keep]
        kept = [one for one in self.snapshots if one in newest or one is self.latest]
        self.snapshots = kept + [one for one in self.snapshots if not one.available and now_ms < one.expires_at_ms]
        for entry in self.log[self.floor_seq : self.covered_seq]:
            if entry.received_at_ms >= received_before_ms:
                break
            self.floor_seq = entry.seq
