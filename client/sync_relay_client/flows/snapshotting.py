"""Making a snapshot (§7.8, §11): written at a verified head, sealed to a file, and sent until it is there."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from sqlite3 import Connection
from typing import BinaryIO

from relay_protocol.changeset import Head
from relay_protocol.encoding import base64url
from relay_protocol.limits import MAX_ENDORSEMENT_AHEAD_SECONDS
from sync_relay_client.errors import AnswerInvalid, NotCaughtUp, ProfileUnavailable, RelayRefused, RelayUnreachable
from sync_relay_client.flow import Flow, Progress, Upload
from sync_relay_client.flows.downloading import stale_url
from sync_relay_client.flows.link import Link
from sync_relay_client.flows.pushing import sync
from sync_relay_client.letters import seal_letters
from sync_relay_client.profile.uploads import PendingUpload, add_upload, drop_upload, next_upload
from sync_relay_client.retry import is_temporary
from sync_relay_client.session import VaultSession
from sync_relay_client.snapshot_blob import ContentMeasure, SnapshotContext, measure
from sync_relay_client.transport import created_private, file_errors, pieces_of

Write = Callable[[BinaryIO, Connection], None]
"""Writes the app's whole state to a file. The connection is the profile's, at one consistent state: only read."""

_OVERTAKEN = frozenset({"covers_mismatch", "cursor_ahead", "snapshot_conflict"})


@dataclass(frozen=True, slots=True)
class SnapshotMade:
    """A snapshot that is available: its id, what it covers, and the sealed blob's size."""

    sha256: str
    covers: Head
    size_bytes: int


def snapshot(link: Link, write: Write, schema_version: int, progress: Progress | None = None) -> Flow[SnapshotMade]:
    """Sync, write the app's state, seal it, and send it. What was sealed and not sent before goes first.

    Raises NotCaughtUp while changes wait in the inbox or outbox: a snapshot holds what the log says, no more and
    no less.
    """
    yield from resume_uploads(link, progress)
    yield from sync(link)
    spool = link.profile.spool
    content, blob = spool.new("content"), spool.new("upload")
    try:
        session = yield from link.look(lambda session: _write(link, session, write, content))
        with file_errors():
            context, sealed = _seal(session, content, blob, schema_version)
            letters = _write_letters(link, session, spool.new("letters"))
            spool.secure(blob, letters[0])
        with link.profile.transaction() as transaction:
            add_upload(transaction.connection, spool, blob, sealed, context)
            add_upload(transaction.connection, spool, *letters)
    except BaseException:
        blob.unlink(missing_ok=True)
        raise
    finally:
        content.unlink(missing_ok=True)
    yield from resume_uploads(link, progress)
    snapshot_id = base64url(sealed.sha256)
    found = yield from link.ask(lambda vault: vault.snapshot(snapshot_id))
    if found.snapshot.status != "available":
        raise AnswerInvalid("the relay took a snapshot, and does not make it available")
    with link.profile.transaction() as transaction:
        transaction.connection.execute("UPDATE sync_relay_device SET snapshot_wanted = NULL")
    return SnapshotMade(snapshot_id, context.covers, sealed.size)


def resume_uploads(link: Link, progress: Progress | None = None) -> Flow[int]:
    """Send the blobs that were sealed and are not at the relay yet; return how many came to be there.

    One that the relay refuses for good is given up: its file would be in the way of all that comes later. That is
    raised, unless it was overtaken (what it covers is another store's), or its file is gone.
    """
    done = 0
    while True:
        with link.profile.view() as view:
            upload = next_upload(view.connection, link.profile.spool, view.session().vault_id)
        if upload is None:
            return done
        if not upload.is_whole:
            _let_go(link, upload)
            continue
        try:
            yield from _send(link, upload, progress)
            done += 1
        except ProfileUnavailable:
            if upload.is_whole:
                raise
        except RelayRefused as error:
            if is_temporary(error):
                raise
            _let_go(link, upload)
            if error.code not in _OVERTAKEN:
                raise
        else:
            _let_go(link, upload)


def _let_go(link: Link, upload: PendingUpload) -> None:
    with link.profile.transaction() as transaction:
        drop_upload(transaction.connection, upload)
    upload.blob.unlink(missing_ok=True)


def _send(link: Link, upload: PendingUpload, progress: Progress | None) -> Flow[None]:
    """Announce, upload and complete; each attempt begins with a fresh URL, and ends early if the blob is there."""

    def attempt() -> Flow[None]:
        announced = yield from link.ask_once(lambda vault: vault.announce(upload.context, upload.measure))
        if announced.upload is not None:
            try:
                yield Upload(announced.upload, upload.blob, progress)
            except RelayRefused as error:
                raise stale_url(error) from None
        try:
            yield from link.ask_once(lambda vault: vault.complete(announced.snapshot.sha256))
        except RelayRefused as error:
            if error.code not in {"upload_incomplete", "snapshot_not_found"}:
                raise
            raise RelayUnreachable("the upload did not arrive whole") from None

    yield from link.retry.run(attempt)


def _write(link: Link, session: VaultSession, write: Write, content: Path) -> VaultSession:
    """Write what the app holds, within the view that the session is of."""
    connection = link.profile.connection
    for table in ("sync_relay_inbox", "sync_relay_outbox", "sync_relay_restored"):
        if connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone():  # noqa: S608 -- constant
            raise NotCaughtUp("changes wait to be applied or sent: a snapshot would not hold what the log says")
    with created_private(content).open("wb") as file:
        write(file, connection)
    return session


def _write_letters(link: Link, session: VaultSession, blob: Path) -> tuple[Path, ContentMeasure, SnapshotContext]:
    with link.profile.view() as view:
        relay_url = view.device().relay_url
    assert relay_url is not None, "a vault has a relay"
    letters = seal_letters(session, relay_url, int(link.clock()) + MAX_ENDORSEMENT_AHEAD_SECONDS - 60)
    created_private(blob).write_bytes(letters.blob)
    return blob, letters.measure, letters.context


def _seal(
    session: VaultSession, content: Path, blob: Path, schema_version: int
) -> tuple[SnapshotContext, ContentMeasure]:
    size_bytes = content.stat().st_size
    with content.open("rb") as file:
        measured = measure(pieces_of(file.read, size_bytes))
        file.seek(0)
        context, pieces = session.seal_snapshot(pieces_of(file.read, size_bytes), measured, schema_version)
        digest, sealed_bytes = sha256(), 0
        with created_private(blob).open("wb") as out:
            for piece in pieces:
                digest.update(piece)
                sealed_bytes += len(piece)
                out.write(piece)
    return context, ContentMeasure(sealed_bytes, digest.digest())
