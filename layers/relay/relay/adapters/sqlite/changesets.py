"""The log itself: appending, paging, pruning."""

from collections.abc import Callable, Sequence
from functools import partial
from sqlite3 import Connection
from typing import TypeVar

from relay.adapters.sqlite.database import ROWS_A_WRITE, Database
from relay.adapters.sqlite.places import place
from relay.ports import AppendPlan, LogState, NewRecord, Page, PruneStep, Receipt, Record, Standing
from relay_protocol.chain import Head
from relay_protocol.sealed import Sealed, into_store

R = TypeVar("R")

_STATE = """
    SELECT no, epoch, head_seq, head_chain,
        changeset_bytes + (SELECT coalesce(sum(size_bytes), 0) FROM snapshots
            WHERE vault_no = no AND (available OR expires_at_ms > ?)),
        (SELECT coalesce(max(covers_seq), 0) FROM snapshots WHERE vault_no = no AND available),
        (SELECT revoked_at_ms IS NULL FROM members WHERE device_id = ? AND vault_no = no)
    FROM vaults WHERE vault_id = ?
"""
_PRUNING = """
    SELECT no, floor_seq, floor_chain,
        (SELECT coalesce(max(covers_seq), 0) FROM snapshots WHERE vault_no = no AND available)
    FROM vaults WHERE vault_id = ?
"""
_STANDINGS = {None: Standing.STRANGER, 0: Standing.REVOKED, 1: Standing.MEMBER}


class Changesets:
    """The part of `relay.ports.Log` that is about changesets; see there for what each method guarantees."""

    _database: Database

    def append(
        self,
        vault_id: str,
        device_id: str,
        ids: Sequence[str],
        now_ms: int,
        plan: Callable[[LogState], AppendPlan[R]],
    ) -> R | None:
        """See `Log.append`."""

        def work(db: Connection) -> R | None:
            row = db.execute(_STATE, (now_ms, device_id, vault_id)).fetchone()
            if row is None:
                return None
            vault_no, epoch, head_seq, head_chain, stored_bytes, covered_seq, standing = row
            head = Head(head_seq, head_chain)
            known = _receipts(db, vault_no, ids)
            decided = plan(LogState(epoch, head, stored_bytes, covered_seq, _STANDINGS[standing], known))
            if decided.records:
                _insert(db, vault_no, head, decided.records)
            return decided.outcome

        return self._database.write(work)

    def page(self, vault_id: str, since: int, limit: int, max_bytes: int) -> Page | None:
        """See `Log.page`."""

        def work(db: Connection) -> Page | None:
            row = db.execute(
                "SELECT no, epoch, head_seq, head_chain, floor_seq, floor_chain FROM vaults WHERE vault_id = ?",
                (vault_id,),
            ).fetchone()
            if row is None:
                return None
            vault_no, epoch, head_seq, head_chain, floor_seq, floor_chain = row
            readable = floor_seq <= since < head_seq
            records = _records(db, vault_no, since, limit, max_bytes) if readable else []
            return Page(epoch, Head(head_seq, head_chain), Head(floor_seq, floor_chain), records)

        return self._database.read(work)

    def prune(self, vault_id: str, received_before_ms: int, max_rows: int) -> PruneStep | None:
        """See `Log.prune`. It is done by short transactions; the last one that dropped something empties the log."""
        assert max_rows > 0
        step, left = None, max_rows
        while left and (step is None or step.more):
            rows = min(left, ROWS_A_WRITE)
            prune = partial(_prune, vault_id=vault_id, received_before_ms=received_before_ms, max_rows=rows)
            part = self._database.write_and_rest(prune)
            if part is None:
                return step
            step, pruned = part
            left -= pruned
        if step and left < max_rows and not step.more:
            self._database.empty_wal()
        return step


def _prune(db: Connection, vault_id: str, received_before_ms: int, max_rows: int) -> tuple[PruneStep, int] | None:
    """Prune in one transaction; return also how many it were."""
    row = db.execute(_PRUNING, (vault_id,)).fetchone()
    if row is None:
        return None
    vault_no, floor_seq, floor_chain, covered_seq = row
    floor, freed_bytes, more = Head(floor_seq, floor_chain), 0, False
    candidates = db.execute(
        "SELECT received_at_ms, size_bytes, chain FROM changesets WHERE place > ? AND place <= ?"
        " ORDER BY place LIMIT ?",
        (place(vault_no, floor_seq), place(vault_no, covered_seq), max_rows + 1),
    )
    for received_at_ms, size_bytes, chain in candidates:
        if received_at_ms >= received_before_ms:
            break
        if floor.seq == floor_seq + max_rows:
            more = True
            break
        floor, freed_bytes = Head(floor.seq + 1, chain), freed_bytes + size_bytes
    if floor.seq > floor_seq:
        _drop_texts(db, vault_no, floor_seq, floor, freed_bytes)
    return PruneStep(floor, more), floor.seq - floor_seq


def _receipts(db: Connection, vault_no: int, ids: Sequence[str]) -> dict[str, Receipt]:
    by_uuid = {bytes.fromhex(changeset_id.replace("-", "")): changeset_id for changeset_id in ids}
    marks = ",".join("?" * len(by_uuid))
    rows = db.execute(
        "SELECT id, digest, place - ?, chain, received_at_ms FROM changesets"  # noqa: S608 -- only question marks
        f" WHERE vault_no = ? AND id IN ({marks})",
        (place(vault_no, 0), vault_no, *by_uuid),
    )
    return {by_uuid[row[0]]: Receipt(by_uuid[row[0]], *row[1:]) for row in rows}


def _insert(db: Connection, vault_no: int, head: Head, records: Sequence[NewRecord]) -> None:
    last = records[-1].receipt
    assert records[0].receipt.seq == head.seq + 1
    assert last.seq == head.seq + len(records)
    db.executemany(
        "INSERT INTO changesets (place, vault_no, id, digest, chain, received_at_ms, size_bytes, text)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                place(vault_no, record.receipt.seq),
                vault_no,
                bytes.fromhex(record.receipt.id.replace("-", "")),
                record.receipt.digest,
                record.receipt.chain,
                record.receipt.received_at_ms,
                record.size_bytes,
                into_store(record.text),
            )
            for record in records
        ],
    )
    db.execute(
        "UPDATE vaults SET head_seq = ?, head_chain = ?, changeset_bytes = changeset_bytes + ? WHERE no = ?",
        (last.seq, last.chain, sum(record.size_bytes for record in records), vault_no),
    )


def _records(db: Connection, vault_no: int, since: int, limit: int, max_bytes: int) -> list[Record]:
    start = place(vault_no, 0)
    rows = db.execute(
        "SELECT place - ?, chain, received_at_ms, text, size_bytes FROM changesets"
        " WHERE place > ? AND place < ? ORDER BY place LIMIT ?",
        (start, start + since, place(vault_no + 1, 0), limit),
    )
    records: list[Record] = []
    total_bytes = 0
    for seq, chain, received_at_ms, text, size_bytes in rows:
        total_bytes += size_bytes
        if records and total_bytes > max_bytes:
            break
        records.append(Record(seq, chain, received_at_ms, Sealed(text), size_bytes))
    return records


def _drop_texts(db: Connection, vault_no: int, from_seq: int, floor: Head, freed_bytes: int) -> None:
    db.execute(
        "UPDATE changesets SET text = NULL WHERE place > ? AND place <= ?",
        (place(vault_no, from_seq), place(vault_no, floor.seq)),
    )
    db.execute(
        "UPDATE vaults SET floor_seq = ?, floor_chain = ?, changeset_bytes = changeset_bytes - ? WHERE no = ?",
        (floor.seq, floor.chain, freed_bytes, vault_no),
    )
