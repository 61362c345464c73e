"""Sealed blobs on their way to the relay, and one that came from there."""

from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection

from relay_protocol.changeset import Head
from sync_relay_client.profile.spool import Spool
from sync_relay_client.snapshot_blob import ContentMeasure, SnapshotContext


@dataclass(frozen=True, slots=True)
class PendingUpload:
    """A blob in the spool, sealed and measured."""

    no: int
    blob: Path
    measure: ContentMeasure
    context: SnapshotContext

    @property
    def is_whole(self) -> bool:
        """Whether the file is still there, as long as it was."""
        return self.blob.is_file() and self.blob.stat().st_size == self.measure.size


def add_upload(
    connection: Connection, spool: Spool, blob: Path, measure: ContentMeasure, context: SnapshotContext
) -> None:
    """Note a sealed blob, so that it gets there also after a crash."""
    covers = context.covers
    connection.execute(
        "INSERT INTO sync_relay_uploads (file, sha256, size_bytes, key_id, schema_version, covers_seq, covers_chain)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            spool.name(blob),
            measure.sha256,
            measure.size,
            context.key_id,
            context.schema_version,
            covers.seq,
            covers.chain,
        ),
    )


def next_upload(connection: Connection, spool: Spool, vault_id: str) -> PendingUpload | None:
    """Return the oldest blob that is on its way, None if none is."""
    row = connection.execute(
        "SELECT no, file, size_bytes, sha256, covers_seq, covers_chain, schema_version, key_id"
        " FROM sync_relay_uploads ORDER BY no LIMIT 1"
    ).fetchone()
    if row is None:
        return None
    no, file, size_bytes, sha256, covers_seq, covers_chain, schema_version, key_id = row
    context = SnapshotContext(vault_id, Head(covers_seq, covers_chain), schema_version, key_id)
    return PendingUpload(no, spool.path(file), ContentMeasure(size_bytes, sha256), context)


def drop_upload(connection: Connection, upload: PendingUpload) -> None:
    """Forget a blob that is there, or given up. Its file is the caller's to remove, after the transaction."""
    connection.execute("DELETE FROM sync_relay_uploads WHERE no = ?", (upload.no,))


def put_restored(connection: Connection, spool: Spool, content: Path, context: SnapshotContext) -> None:
    """Note the verified content of a snapshot, for the app to take; what was pulled before it covers is superseded."""
    covers = context.covers
    connection.execute("DELETE FROM sync_relay_inbox WHERE seq <= ?", (covers.seq,))
    connection.execute(
        "INSERT OR REPLACE INTO sync_relay_restored VALUES (1, ?, ?, ?, ?)",
        (spool.name(content), context.schema_version, covers.seq, covers.chain),
    )
