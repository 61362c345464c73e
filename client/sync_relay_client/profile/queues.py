"""What goes out and what came in, as the app sees it: within its own transaction, beside its own tables."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from sqlite3 import Connection
from typing import BinaryIO
from uuid import UUID, uuid4

from relay_protocol.chain import Head
from relay_protocol.changeset import MAX_SCHEMA_VERSION
from relay_protocol.encoding import is_uuid
from relay_protocol.limits import Limits
from sync_relay_client.envelope import Change, envelope_bytes
from sync_relay_client.errors import ChangeTooLarge
from sync_relay_client.membership import OWN_OPERATIONS
from sync_relay_client.opening import OpenedChange
from sync_relay_client.profile.database import failures

MAX_BODY_BYTES = Limits().max_body_bytes
"""What a push can carry by the protocol's defaults; a relay may allow less, which shows when it is pushed."""

_INBOX_COLUMNS = (
    "seq, received_at, id, author, schema_version, origin_user, timestamp, operation_type, entity, entity_id, payload,"
    " witness_seq, witness_chain"
)


class Outbox:
    """Records changes to be sent. `connection` is the profile's, in the transaction that this is part of."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def add(self, change: Change, *, schema_version: int = 1, changeset_id: str | None = None) -> str:
        """Record a change; return its id, a UUID that is drawn unless given.

        Raises ChangeTooLarge if no push could carry it; ValueError for one of the protocol's own operation types, an
        id that is no UUID or was used before, a schema version or names that the protocol has no room for.
        """
        if change.operation_type in OWN_OPERATIONS:
            raise ValueError("the protocol's own operations are not recorded")
        if changeset_id is not None:
            self._check_new(changeset_id)
        if type(schema_version) is not int or not 0 <= schema_version <= MAX_SCHEMA_VERSION:
            raise ValueError("a schema version is an integer from 0 to 2147483647")
        if envelope_bytes(change) > MAX_BODY_BYTES:
            raise ChangeTooLarge(MAX_BODY_BYTES)
        found = changeset_id or str(uuid4())
        with failures():
            self._insert(found, schema_version, change)
        return found

    def take_back(self, changeset_id: str) -> bool:
        """Forget a recorded change that the relay has not acknowledged; return whether there was one.

        Where its push had no answer the relay may have it all the same: then it comes back in the inbox.
        """
        with failures():
            taken = self.connection.execute(
                "DELETE FROM sync_relay_outbox WHERE id = ? AND acknowledged_seq IS NULL", (changeset_id,)
            )
        return taken.rowcount > 0

    def _check_new(self, changeset_id: str) -> None:
        """Raise ValueError where the relay would refuse the id, and with it all that waits behind it."""
        if not is_uuid(changeset_id):
            raise ValueError("not a UUID in lower case")
        used = self.connection.execute(
            "SELECT 1 FROM sync_relay_outbox WHERE id = ? UNION SELECT 1 FROM sync_relay_history WHERE id = ?",
            (changeset_id, UUID(changeset_id).bytes),
        )
        if used.fetchone():
            raise ValueError("the changeset's id was used before")

    def _insert(self, changeset_id: str, schema_version: int, change: Change) -> None:
        self.connection.execute(
            "INSERT INTO sync_relay_outbox (id, schema_version, origin_user, timestamp, operation_type, entity,"
            " entity_id, payload) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                changeset_id,
                schema_version,
                change.origin_user,
                change.timestamp,
                change.operation_type,
                change.entity,
                change.entity_id,
                change.payload,
            ),
        )


@dataclass(frozen=True, slots=True)
class Restored:
    """The content of a snapshot that the device now goes on from: it replaces all that the app has."""

    covers: Head
    schema_version: int
    path: Path = field(repr=False)

    def open(self) -> BinaryIO:
        """Open the content; every byte of it was verified before."""
        return self.path.open("rb")


class Inbox:
    """Verified changes in the log's order, this device's own too; iterate over it. `restored`, if any, comes first.

    `connection` is the profile's, in the transaction that this is part of: what the app does with it and that these
    changes are applied become true together.
    """

    def __init__(self, connection: Connection, limit: int, folder: Path) -> None:
        self.connection = connection
        self.restored = _restored(connection, folder)
        # Not by seq: after a restore of the relay's store the log goes on at seqs that waiting changes have, too.
        found = connection.execute(f"SELECT no, {_INBOX_COLUMNS} FROM sync_relay_inbox ORDER BY no LIMIT ?", (limit,))  # noqa: S608 -- constant
        rows = found.fetchall()
        self._last_no = rows[-1][0] if rows else 0
        self._changes = [_opened(*row[1:]) for row in rows]

    def __len__(self) -> int:
        return len(self._changes)

    def __iter__(self) -> Iterator[OpenedChange]:
        return iter(self._changes)

    def settle(self) -> None:
        """Note that all of it is applied."""
        self.connection.execute("DELETE FROM sync_relay_inbox WHERE no <= ?", (self._last_no,))
        self.connection.execute("DELETE FROM sync_relay_restored")


def put_into_inbox(connection: Connection, opened: Sequence[OpenedChange]) -> int:
    """Store what was pulled; return how many changes are for the app.

    The protocol's own operations are not, nor what it was given before a restore of the relay's store lost it.
    """
    for_app = [one for one in opened if not one.is_own_operation and not _was_lost(connection, one.id)]
    connection.executemany(
        f"INSERT INTO sync_relay_inbox ({_INBOX_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 -- constant
        [
            (
                one.seq,
                one.received_at,
                one.id,
                one.author,
                one.schema_version,
                one.change.origin_user,
                one.change.timestamp,
                one.change.operation_type,
                one.change.entity,
                one.change.entity_id,
                one.change.payload,
                one.witness.seq,
                one.witness.chain,
            )
            for one in for_app
        ],
    )
    return len(for_app)


def waiting_after(connection: Connection, seq: int) -> list[OpenedChange]:
    """Return the changes after a seq that wait to be applied."""
    rows = connection.execute(f"SELECT {_INBOX_COLUMNS} FROM sync_relay_inbox WHERE seq > ? ORDER BY no", (seq,))  # noqa: S608 -- constant
    return [_opened(*row) for row in rows]


def _was_lost(connection: Connection, changeset_id: str) -> bool:
    given_before = connection.execute("DELETE FROM sync_relay_lost WHERE id = ?", (UUID(changeset_id).bytes,))
    return given_before.rowcount > 0


def _opened(
    seq: int,
    received_at: str,
    changeset_id: str,
    author: str,
    schema_version: int,
    origin_user: str,
    timestamp: str,
    operation_type: str,
    entity: str,
    entity_id: str,
    payload: bytes,
    witness_seq: int,
    witness_chain: bytes,
) -> OpenedChange:
    change = Change(origin_user, timestamp, operation_type, entity, entity_id, payload)
    witness = Head(witness_seq, witness_chain)
    return OpenedChange(seq, received_at, changeset_id, author, schema_version, change, witness)


def _restored(connection: Connection, folder: Path) -> Restored | None:
    row = connection.execute(
        "SELECT file, schema_version, covers_seq, covers_chain FROM sync_relay_restored"
    ).fetchone()
    return None if row is None else Restored(Head(*row[2:]), row[1], folder / row[0])
