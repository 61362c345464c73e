"""Vaults as a whole: what they are, erasing them, and what an erasure leaves to sweep."""

from collections.abc import Callable, Sequence
from functools import partial
from sqlite3 import Connection

from relay.adapters.sqlite import places
from relay.adapters.sqlite.database import ROWS_A_WRITE, Database
from relay.adapters.sqlite.members import count_members
from relay.adapters.sqlite.snapshots import THERE, snapshots_where
from relay.ports import VaultInfo
from relay_protocol.chain import Head

SCRUB_MAX_BYTES = 256 * 2**20
"""Writers wait while a file is rewritten, here for some two seconds. A larger file is left to its operator's VACUUM."""

_NEXT_TO_SWEEP = "SELECT vault_no FROM erased WHERE NOT scrubbed AND vault_no IS NOT NULL LIMIT 1"


class Vaults:
    """The part of `relay.ports.Log` that is about whole vaults; see there for what each method guarantees."""

    _database: Database

    def vault(self, vault_id: str, now_ms: int) -> VaultInfo | None:
        """See `Log.vault`."""

        def work(db: Connection) -> VaultInfo | None:
            row = db.execute(
                "SELECT no, epoch, created_at_ms, head_seq, head_chain, floor_seq, floor_chain, changeset_bytes"
                " FROM vaults WHERE vault_id = ?",
                (vault_id,),
            ).fetchone()
            if row is None:
                return None
            vault_no, epoch, created_at_ms, head_seq, head_chain, floor_seq, floor_chain, changeset_bytes = row
            return VaultInfo(
                epoch=epoch,
                created_at_ms=created_at_ms,
                head=Head(head_seq, head_chain),
                floor=Head(floor_seq, floor_chain),
                members=count_members(db, vault_no),
                changeset_bytes=changeset_bytes,
                snapshots=snapshots_where(db, f"{THERE} ORDER BY created_at_ms DESC", vault_no, now_ms),
            )

        return self._database.read(work)

    def erase(self, vault_id: str, if_match: bytes) -> Head | None:
        """See `Log.erase`."""

        def work(db: Connection) -> Head | None:
            row = db.execute("SELECT no, head_seq, head_chain FROM vaults WHERE vault_id = ?", (vault_id,)).fetchone()
            if row is None:
                return None
            vault_no, head_seq, head_chain = row
            if head_chain != if_match:
                return Head(head_seq, head_chain)
            db.execute("DELETE FROM members WHERE vault_no = ?", (vault_no,))
            db.execute("DELETE FROM snapshots WHERE vault_no = ?", (vault_no,))
            db.execute("DELETE FROM vaults WHERE no = ?", (vault_no,))
            db.execute("INSERT INTO erased (vault_id, vault_no) VALUES (?, ?)", (vault_id, vault_no))
            return None

        return self._database.write(work)

    def sweep(self, max_rows: int) -> bool:
        """See `Log.sweep`. It is done by short transactions, each of one vault.

        The last one empties the write-ahead log too; a call that finds nothing to remove, as the scheduled ones do,
        scrubs the file.
        """
        assert max_rows > 0
        removed, more = 0, True
        while more and removed < max_rows:
            rows = min(max_rows - removed, ROWS_A_WRITE)
            found, more = self._database.write_and_rest(partial(_sweep, max_rows=rows))
            if not found:
                break
            removed += rows
        if not removed:
            self.scrub()
        elif not more:
            self._database.empty_wal()
        return more

    def is_unswept(self) -> bool:
        """Whether there is something for `sweep` to remove."""
        return self._database.read(lambda db: db.execute(_NEXT_TO_SWEEP).fetchone()) is not None

    def scrub(self) -> None:
        """Remove the stale copies that SQLite may leave of rows it moved between pages, before they were deleted.

        Only rewriting the file does it. It is tried again by the next sweep where the store can't do it now.
        """
        query = "SELECT vault_id FROM erased WHERE NOT scrubbed AND vault_no IS NULL"
        swept = self._database.read(lambda db: db.execute(query).fetchall())
        if swept and self._database.rewrite(SCRUB_MAX_BYTES):
            update = "UPDATE erased SET scrubbed = 1 WHERE vault_id = ?"
            self._database.write(lambda db: db.executemany(update, swept))

    def reap(self, after: str, limit: int) -> str | None:  # noqa: ARG002 -- the port's
        """See `Log.reap`. Nothing is put aside."""
        return None

    def renew_epochs(self, draw: Callable[[], str]) -> int:
        """See `Log.renew_epochs`."""

        def work(db: Connection) -> int:
            rows = db.execute("SELECT no FROM vaults").fetchall()
            db.executemany("UPDATE vaults SET epoch = ? WHERE no = ?", [(draw(), no) for (no,) in rows])
            return len(rows)

        return self._database.write(work)

    def vault_ids(self, after: str, limit: int) -> Sequence[str]:
        """See `Log.vault_ids`."""
        query = "SELECT vault_id FROM vaults WHERE vault_id > ? ORDER BY vault_id LIMIT ?"
        return self._database.read(lambda db: [row[0] for row in db.execute(query, (after, limit))])


def _sweep(db: Connection, max_rows: int) -> tuple[bool, bool]:
    """Sweep in one transaction; return whether there was something, and whether there is more."""
    row = db.execute(_NEXT_TO_SWEEP).fetchone()
    if row is None:
        return False, False
    first, last = places.of_vault(row[0])
    db.execute(
        "DELETE FROM changesets WHERE place IN (SELECT place FROM changesets WHERE place BETWEEN ? AND ? LIMIT ?)",
        (first, last, max_rows),
    )
    left = "SELECT 1 FROM changesets WHERE place BETWEEN ? AND ? LIMIT 1"
    if db.execute(left, (first, last)).fetchone() is None:
        db.execute("UPDATE erased SET vault_no = NULL WHERE NOT scrubbed AND vault_no = ?", row)
    return True, db.execute(_NEXT_TO_SWEEP).fetchone() is not None
