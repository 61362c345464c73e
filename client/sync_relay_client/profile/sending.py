"""The outbox on its way: sealed once, kept until it was seen in the verified log."""

import json
from collections.abc import Collection, Sequence
from sqlite3 import Connection

from relay_protocol.answers import ReceiptAnswer
from relay_protocol.chain import Head
from sync_relay_client.envelope import Change, Envelope
from sync_relay_client.errors import ChangeTooLarge, ReceiptBroken
from sync_relay_client.session import VaultSession

BATCH_BYTES = len('{"changesets":[]}')


def next_batch(connection: Connection, session: VaultSession, max_batch: int, max_body_bytes: int) -> list[Envelope]:
    """Return the oldest changes that were not acknowledged, as many as one push carries; none if there are none.

    A change is sealed here, once: what is sent again is byte for byte the same, so the relay knows it again. Sealed
    late, it is sealed under the newest key and with the newest witness. Raises ChangeTooLarge or RotatedOut.
    """
    rows = connection.execute(
        "SELECT no, id, envelope, schema_version, origin_user, timestamp, operation_type, entity, entity_id, payload"
        " FROM sync_relay_outbox WHERE acknowledged_seq IS NULL ORDER BY no LIMIT ?",
        (max_batch,),
    ).fetchall()
    batch: list[Envelope] = []
    size_bytes = BATCH_BYTES
    for no, changeset_id, sealed, schema_version, *change in rows:
        if sealed is None:
            envelope = session.seal(Change(*change), schema_version, changeset_id)
        else:
            envelope = Envelope(**json.loads(sealed))
        text = json.dumps(envelope.members(), ensure_ascii=False, separators=(",", ":"))
        size_bytes += len(text.encode()) + 1
        if size_bytes > max_body_bytes:
            if not batch:
                raise ChangeTooLarge(max_body_bytes, changeset_id)
            break
        connection.execute("UPDATE sync_relay_outbox SET envelope = ? WHERE no = ?", (text, no))
        batch.append(envelope)
    return batch


def acknowledge(connection: Connection, receipts: Sequence[ReceiptAnswer]) -> None:
    """Note where the relay says that it stored changes."""
    connection.executemany(
        "UPDATE sync_relay_outbox SET acknowledged_seq = ? WHERE id = ?",
        [(receipt.seq, receipt.id) for receipt in receipts],
    )


def see_in_log(connection: Connection, ids: Collection[str], head: Head) -> None:
    """Let go of the changes that were seen in the verified log up to `head`, or that a snapshot covers unseen.

    Raises ReceiptBroken if the log has another changeset where the relay acknowledged one.
    """
    connection.executemany("DELETE FROM sync_relay_outbox WHERE id = ?", [(one,) for one in ids])
    broken = connection.execute(
        "SELECT min(seq) FROM sync_relay_outbox JOIN sync_relay_history ON seq = acknowledged_seq"
        " WHERE acknowledged_seq <= ? AND sync_relay_history.id IS NOT NULL",
        (head.seq,),
    ).fetchone()[0]
    if broken is not None:
        raise ReceiptBroken("the log has another changeset where the relay acknowledged one", broken)
    connection.execute("DELETE FROM sync_relay_outbox WHERE acknowledged_seq <= ?", (head.seq,))


def is_acknowledged_up_to(connection: Connection, head: Head) -> bool:
    """Whether the relay acknowledged a change at a place up to `head` where it was not seen: see `see_in_log`."""
    query = "SELECT 1 FROM sync_relay_outbox WHERE acknowledged_seq <= ? LIMIT 1"
    return connection.execute(query, (head.seq,)).fetchone() is not None


def last_acknowledged(connection: Connection) -> int:
    """Return the last seq at which the relay acknowledged a change that was not seen in the log yet; 0 without one."""
    found: int | None = connection.execute("SELECT max(acknowledged_seq) FROM sync_relay_outbox").fetchone()[0]
    return found or 0


def believe_no_receipt(connection: Connection) -> None:
    """Send anew what was acknowledged and not seen in the log: a relay that has it finds a duplicate (§7.6)."""
    connection.execute("UPDATE sync_relay_outbox SET acknowledged_seq = NULL")


def send_again(connection: Connection, end: Head) -> None:
    """Send anew what was acknowledged past the end of a restored log."""
    connection.execute("UPDATE sync_relay_outbox SET acknowledged_seq = NULL WHERE acknowledged_seq > ?", (end.seq,))


def seal_anew(connection: Connection) -> None:
    """Seal what is to be sent anew: its witness is in a part of the log that a restored store lost."""
    connection.execute("UPDATE sync_relay_outbox SET envelope = NULL WHERE acknowledged_seq IS NULL")
