"""Sealed blobs on their way to the relay, and one that came from there."""

from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection

from relay_protocol.chain import Head
from sync_relay_client.profile.spool import Spool
from sync_relay_client.snapshot_blob import ContentMeasure, SnapshotContext


@dataclass(frozen=True, slots=True)
class Sealed:
    """A blob in the spool, sealed and measured."""

    blob: Path
    measure: ContentMeasure
    context: SnapshotContext

    @property
    def is_whole(self) -> bool:
        """Whether the file is still there, as long as it was."""
        return self.blob.is_file() and self.blob.stat().st_size == self.measure.size


@dataclass(frozen=True, slots=True)
class PendingUpload(Sealed):
    """One that waits to be sent."""

    no: int


def put_uploads(connection: Connection, spool: Spool, *uploads: Sealed) -> list[Path]:
    """Note sealed blobs, so that they get there also after a crash. They replace earlier ones that did not get there.

    Returns the files of these, to be discarded.
    """
    superseded = [spool.path(row[0]) for row in connection.execute("DELETE FROM sync_relay_uploads RETURNING file")]
    connection.executemany(
        "INSERT INTO sync_relay_uploads (file, sha256, size_bytes, key_id, schema_version, covers_seq, covers_chain)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (
                spool.name(one.blob),
                one.measure.sha256,
                one.measure.size,
                one.context.key_id,
                one.context.schema_version,
                one.context.covers.seq,
                one.context.covers.chain,
            )
            for one in uploads
        ],
    )
    return superseded


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
    return PendingUpload(spool.path(file), ContentMeasure(size_bytes, sha256), context, no)


def drop_upload(connection: Connection, upload: PendingUpload) -> None:
    """Forget a blob that is there, or given up. Its file is the caller's to remove, after the transaction."""
    connection.execute("DELETE FROM sync_relay_uploads WHERE no = ?", (upload.no,))


def put_restored(connection: Connection, spool: Spool, content: Path, context: SnapshotContext) -> list[Path]:
    """Note the verified content of a snapshot, for the app to take; what was pulled before it covers is superseded.

    So is an earlier snapshot's content that the app has not taken; its file is returned, to be discarded.
    """
    covers = context.covers
    superseded = [spool.path(row[0]) for row in connection.execute("SELECT file FROM sync_relay_restored")]
    connection.execute("DELETE FROM sync_relay_inbox WHERE seq <= ?", (covers.seq,))
    connection.execute(
        "INSERT OR REPLACE INTO sync_relay_restored VALUES (1, ?, ?, ?, ?)",
        (spool.name(content), context.schema_version, covers.seq, covers.chain),
    )
    return superseded
