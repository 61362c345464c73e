"""Vaults as a whole: what they are, erasing them, and what an erasure leaves to sweep."""

from collections.abc import Callable, Sequence
from sqlite3 import Connection

from relay.adapters.sqlite import places
from relay.adapters.sqlite.database import Database
from relay.adapters.sqlite.members import count_members
from relay.adapters.sqlite.snapshots import THERE, snapshots_where
from relay.ports import VaultInfo
from relay_protocol.changeset import Head


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
            db.execute("INSERT INTO erased VALUES (?, ?)", (vault_id, vault_no))
            return None

        return self._database.write(work)

    def sweep(self, max_rows: int) -> bool:
        """See `Log.sweep`. One vault a step; the last step empties the write-ahead log too."""
        assert max_rows > 0

        def work(db: Connection) -> bool:
            row = db.execute("SELECT vault_no FROM erased WHERE vault_no IS NOT NULL LIMIT 1").fetchone()
            if row is None:
                return False
            first, last = places.of_vault(row[0])
            db.execute(
                "DELETE FROM changesets WHERE place IN"
                " (SELECT place FROM changesets WHERE place BETWEEN ? AND ? LIMIT ?)",
                (first, last, max_rows),
            )
            left = "SELECT 1 FROM changesets WHERE place BETWEEN ? AND ? LIMIT 1"
            if db.execute(left, (first, last)).fetchone() is None:
                db.execute("UPDATE erased SET vault_no = NULL WHERE vault_no = ?", row)
            return db.execute("SELECT 1 FROM erased WHERE vault_no IS NOT NULL").fetchone() is not None

        more = self._database.write(work)
        if not more:
            self._database.empty_wal()
        return more

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
