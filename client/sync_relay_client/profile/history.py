"""The verified log as the profile keeps it."""

from sqlite3 import Connection
from uuid import UUID

from relay_protocol.chain import Head, genesis
from sync_relay_client.history import Tail


class StoredHistory:
    """A `History` in the profile, within one transaction."""

    def __init__(self, connection: Connection, vault_id: str, head: Head) -> None:
        self._connection = connection
        self.vault_id = vault_id
        self.head = head

    def chain_at(self, seq: int) -> bytes | None:
        """See `History.chain_at`."""
        if seq == 0:
            return genesis(self.vault_id).chain
        row = self._connection.execute("SELECT chain FROM sync_relay_history WHERE seq = ?", (seq,)).fetchone()
        return None if row is None else bytes(row[0])

    def has(self, changeset_id: str) -> bool:
        """See `History.has`."""
        found = self._connection.execute("SELECT 1 FROM sync_relay_history WHERE id = ?", (UUID(changeset_id).bytes,))
        return found.fetchone() is not None

    def jump(self, head: Head) -> None:
        """See `History.jump`."""
        place = (head.seq, head.chain)
        self._connection.execute("INSERT OR REPLACE INTO sync_relay_history VALUES (?, ?, NULL)", place)
        self._move(head)

    def commit(self, tail: Tail) -> None:
        """See `History.commit`."""
        if not tail.chains:
            return
        self._connection.executemany(
            "INSERT INTO sync_relay_history VALUES (?, ?, ?)",
            [(seq, chain, UUID(tail.ids[seq]).bytes) for seq, chain in tail.chains.items()],
        )
        self._move(tail.head)

    def rewind(self, head: Head) -> None:
        """Forget what lies after a head, and what was to be left out there: a restored store lost it.

        Its ids are kept: the app has these changes.
        """
        self._connection.execute(
            "INSERT OR IGNORE INTO sync_relay_lost SELECT id FROM sync_relay_history WHERE seq > ? AND id IS NOT NULL",
            (head.seq,),
        )
        self._connection.execute("DELETE FROM sync_relay_history WHERE seq > ?", (head.seq,))
        self._connection.execute("DELETE FROM sync_relay_passed_over WHERE seq > ?", (head.seq,))
        self._move(head)

    def follow(self, longer: Connection, head: Head) -> None:
        """Go on as the history in another profile does, which is this one up to here."""
        rows = longer.execute("SELECT seq, chain, id FROM sync_relay_history WHERE seq > ?", (self.head.seq,))
        self._connection.executemany("INSERT INTO sync_relay_history VALUES (?, ?, ?)", rows)
        self._move(head)

    def _move(self, head: Head) -> None:
        self._connection.execute("UPDATE sync_relay_device SET head_seq = ?, head_chain = ?", (head.seq, head.chain))
        self.head = head
