"""The records of snapshots, and what the rest of the log asks of them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from sqlite3 import Connection
from typing import Any, TypeVar

from relay.adapters.sqlite.database import Database
from relay.adapters.sqlite.places import place
from relay.ports import AnnouncePlan, AnnounceState, SnapshotRecord
from relay_protocol.chain import Head, genesis

R = TypeVar("R")

THERE = "(available OR expires_at_ms > ?2)"
"""Whether a record is there at a time, as `SnapshotRecord.is_there` has it."""

_RECORDS = (
    "SELECT sha256, size_bytes, key_id, schema_version, covers_seq, covers_chain, origin_device,"
    " created_at_ms, expires_at_ms, blob_key, available FROM snapshots WHERE vault_no = ?1 AND "
)


class Snapshots:
    """The part of `relay.ports.Log` that is about snapshots; see there for what each method guarantees."""

    _database: Database

    def announce(
        self,
        vault_id: str,
        sha256: bytes,
        covers_seq: int,
        now_ms: int,
        plan: Callable[[AnnounceState], AnnouncePlan[R]],
    ) -> R | None:
        """See `Log.announce`."""

        def work(db: Connection) -> R | None:
            row = db.execute(
                "SELECT no, epoch, head_seq, head_chain, changeset_bytes FROM vaults WHERE vault_id = ?", (vault_id,)
            ).fetchone()
            if row is None:
                return None
            vault_no, epoch, head_seq, head_chain, changeset_bytes = row
            there = snapshots_where(db, THERE, vault_no, now_ms)
            state = AnnounceState(
                epoch=epoch,
                head=Head(head_seq, head_chain),
                existing=next((record for record in there if record.sha256 == sha256), None),
                chain_at_covers=_chain_at(db, vault_id, vault_no, covers_seq) if covers_seq <= head_seq else None,
                pending=sum(not record.available for record in there),
                stored_bytes=changeset_bytes + sum(record.size_bytes for record in there),
            )
            decided = plan(state)
            if decided.add is not None:
                _insert(db, vault_no, decided.add)
            return decided.outcome

        return self._database.write(work)

    def snapshot(self, vault_id: str, sha256: bytes, now_ms: int) -> tuple[str, SnapshotRecord | None] | None:
        """See `Log.snapshot`."""

        def work(db: Connection) -> tuple[str, SnapshotRecord | None] | None:
            vault = db.execute("SELECT no, epoch FROM vaults WHERE vault_id = ?", (vault_id,)).fetchone()
            if vault is None:
                return None
            found = snapshots_where(db, f"{THERE} AND sha256 = ?3", vault[0], now_ms, sha256)
            return vault[1], next(iter(found), None)

        return self._database.read(work)

    def complete(self, vault_id: str, blob_key: str, now_ms: int) -> SnapshotRecord | None:
        """See `Log.complete`."""

        def work(db: Connection) -> SnapshotRecord | None:
            vault = db.execute("SELECT no FROM vaults WHERE vault_id = ?", (vault_id,)).fetchone()
            if vault is None:
                return None
            found = snapshots_where(db, f"{THERE} AND blob_key = ?3", vault[0], now_ms, blob_key)
            if not found:
                return None
            db.execute("UPDATE snapshots SET available = 1 WHERE vault_no = ? AND blob_key = ?", (*vault, blob_key))
            return replace(found[0], available=True)

        return self._database.write(work)

    def drop_snapshots(self, vault_id: str, blob_keys: Sequence[str], now_ms: int) -> None:
        """See `Log.drop_snapshots`."""

        def work(db: Connection) -> None:
            vault = db.execute("SELECT no FROM vaults WHERE vault_id = ?", (vault_id,)).fetchone()
            if vault is None:
                return
            delete = "DELETE FROM snapshots WHERE vault_no = ? AND "
            db.executemany(f"{delete} blob_key = ?", [(*vault, blob_key) for blob_key in blob_keys])
            db.execute(f"{delete} NOT available AND expires_at_ms <= ?", (*vault, now_ms))

        self._database.write(work)


def snapshots_where(
    db: Connection, condition: str, vault_no: int, *parameters: int | str | bytes
) -> list[SnapshotRecord]:
    """Return a vault's records for which the condition holds; its parameters count from `?2`."""
    return [_record(row) for row in db.execute(_RECORDS + condition, (vault_no, *parameters))]


def _chain_at(db: Connection, vault_id: str, vault_no: int, seq: int) -> bytes:
    if seq == 0:
        return genesis(vault_id).chain
    chain: bytes
    (chain,) = db.execute("SELECT chain FROM changesets WHERE place = ?", (place(vault_no, seq),)).fetchone()
    return chain


def _insert(db: Connection, vault_no: int, record: SnapshotRecord) -> None:
    db.execute(
        "INSERT OR REPLACE INTO snapshots (vault_no, sha256, size_bytes, key_id, schema_version, covers_seq,"
        " covers_chain, origin_device, created_at_ms, expires_at_ms, blob_key, available)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            vault_no,
            record.sha256,
            record.size_bytes,
            record.key_id,
            record.schema_version,
            record.covers.seq,
            record.covers.chain,
            record.origin_device,
            record.created_at_ms,
            record.expires_at_ms,
            record.blob_key,
            record.available,
        ),
    )


def _record(row: tuple[Any, ...]) -> SnapshotRecord:
    sha256, size_bytes, key_id, schema_version, covers_seq, covers_chain, origin_device, *rest = row
    created_at_ms, expires_at_ms, blob_key, available = rest
    return SnapshotRecord(
        sha256=sha256,
        size_bytes=size_bytes,
        key_id=key_id,
        schema_version=schema_version,
        covers=Head(covers_seq, covers_chain),
        origin_device=origin_device,
        created_at_ms=created_at_ms,
        expires_at_ms=expires_at_ms,
        blob_key=blob_key,
        available=bool(available),
    )
