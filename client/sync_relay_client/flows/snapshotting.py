"""Making a snapshot (§7.8, §11): written at a verified head, sealed to a file, noted, and then sent."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from sqlite3 import Connection
from typing import BinaryIO

from relay_protocol.chain import Head
from relay_protocol.encoding import base64url
from relay_protocol.limits import MAX_ENDORSEMENT_AHEAD_SECONDS
from sync_relay_client.errors import AnswerInvalid, NotCaughtUp
from sync_relay_client.flow import Flow, Progress, rising
from sync_relay_client.flows.link import Link
from sync_relay_client.flows.pushing import sync
from sync_relay_client.flows.uploading import send_pending
from sync_relay_client.letters import seal_letters
from sync_relay_client.profile.spool import created, opened
from sync_relay_client.profile.uploads import Sealed, put_uploads
from sync_relay_client.session import VaultSession
from sync_relay_client.snapshot_blob import ContentMeasure, measure
from sync_relay_client.transport import pieces_of

Write = Callable[[BinaryIO, Connection], None]
"""Writes the app's whole state to a file. The connection is the profile's, at one consistent state: only read."""


@dataclass(frozen=True, slots=True)
class SnapshotMade:
    """A snapshot that is available: its id, what it covers, and the sealed blob's size."""

    sha256: str
    covers: Head
    size_bytes: int


def snapshot(link: Link, write: Write, schema_version: int, progress: Progress | None = None) -> Flow[SnapshotMade]:
    """Sync, write the app's state, seal it, and send it. Where sending fails, `sync` goes on with it.

    It takes the place of one that was sealed before and has not got there. Raises NotCaughtUp while changes wait in
    the inbox or outbox (a snapshot holds what the log says, no more and no less), and ProfileUnavailable where there
    is no room for it.
    """
    yield from sync(link)
    spool = link.profile.spool
    content, blob, letters_blob = spool.new("content"), spool.new("upload"), spool.new("letters")
    try:
        session = yield from link.look(lambda session: _write(link, session, write, content))
        sealed = _seal(session, content, blob, schema_version)
        letters = _write_letters(link, session, letters_blob)
        with link.profile.transaction() as transaction:
            superseded = put_uploads(transaction.connection, spool, sealed, letters)
        link.profile.discard(*superseded)
    finally:
        link.profile.discard(content, blob, letters_blob)
    tell = rising(progress)
    yield from send_pending(link, {sealed.measure.sha256: tell, letters.measure.sha256: None})
    snapshot_id = base64url(sealed.measure.sha256)
    found = yield from link.ask(lambda vault: vault.snapshot(snapshot_id))
    if found.snapshot.status != "available":
        raise AnswerInvalid("the snapshot is not available: the relay lost it, or another process made a newer one")
    if tell is not None:
        tell(sealed.measure.size, sealed.measure.size)
    with link.profile.transaction() as transaction:
        transaction.connection.execute("UPDATE sync_relay_device SET snapshot_wanted = NULL")
    return SnapshotMade(snapshot_id, sealed.context.covers, sealed.measure.size)


def _write(link: Link, session: VaultSession, write: Write, content: Path) -> VaultSession:
    """Write what the app holds, within the view that the session is of."""
    connection = link.profile.connection
    for table in ("sync_relay_inbox", "sync_relay_outbox", "sync_relay_restored"):
        if connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone():  # noqa: S608 -- constant
            raise NotCaughtUp("changes wait to be applied or sent: a snapshot would not hold what the log says")
    with created(content) as file:
        write(file, connection)
    return session


def _seal(session: VaultSession, content: Path, blob: Path, schema_version: int) -> Sealed:
    """Seal what was written. Raises ValueError if it changes meanwhile."""
    size_bytes = content.stat().st_size
    with opened(content) as file:
        measured = measure(pieces_of(file.read, size_bytes))
        file.seek(0)
        context, pieces = session.seal_snapshot(pieces_of(file.read, size_bytes), measured, schema_version)
        digest, sealed_bytes = sha256(), 0
        with created(blob, to_stay=True) as out:
            for piece in pieces:
                digest.update(piece)
                sealed_bytes += len(piece)
                out.write(piece)
    return Sealed(blob, ContentMeasure(sealed_bytes, digest.digest()), context)


def _write_letters(link: Link, session: VaultSession, blob: Path) -> Sealed:
    with link.profile.view() as view:
        relay_url = view.device().relay_url
    assert relay_url is not None, "a vault has a relay"
    letters = seal_letters(session, relay_url, int(link.clock()) + MAX_ENDORSEMENT_AHEAD_SECONDS - 60)
    with created(blob, to_stay=True) as out:
        out.write(letters.blob)
    return Sealed(blob, letters.measure, letters.context)
