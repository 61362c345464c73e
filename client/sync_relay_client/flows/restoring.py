"""Going on from a snapshot: downloaded, verified to its last byte, then taken, with the head that it covers."""

from pathlib import Path

from relay_protocol.answers import DownloadableSnapshot
from sync_relay_client.errors import AuthorKeyUnknown, KeyUnknown, RelayRefused, SnapshotAuthorUnknown
from sync_relay_client.flow import Flow, Progress
from sync_relay_client.flows.corresponding import find_letter
from sync_relay_client.flows.downloading import fetch
from sync_relay_client.flows.link import Link
from sync_relay_client.invitation import Invitation
from sync_relay_client.profile import Transaction
from sync_relay_client.profile.sending import see_in_log
from sync_relay_client.profile.spool import created, opened
from sync_relay_client.profile.uploads import put_restored
from sync_relay_client.session import VaultSession
from sync_relay_client.snapshot_blob import SnapshotReader
from sync_relay_client.transport import pieces_of


def restore(link: Link, progress: Progress | None = None) -> Flow[bool]:
    """Go on from the relay's latest snapshot, if that is ahead of the verified head; return whether it was.

    Its content waits in the inbox. Raises SnapshotInvalid, RolledBack, KeyUnknown (a rekey came between that this
    device did not see, and nobody left it a letter: it needs a new invitation), and what asking raises; then nothing
    has changed.
    """
    try:
        found = yield from link.ask(lambda vault: vault.latest_snapshot())
    except RelayRefused as error:
        if error.code == "snapshot_not_found":
            return False
        raise
    snapshot = found.snapshot
    with link.profile.view() as view:
        if snapshot.covers.seq <= view.session().head.seq:
            return False
    spool = link.profile.spool
    blob, content = spool.new("download"), spool.new("restored")
    try:
        snapshot = yield from fetch(link, snapshot.sha256, blob, progress)
        try:
            taken = _take(link, snapshot, blob, content)
        except AuthorKeyUnknown:
            yield from link.learn_keys()
            taken = _take(link, snapshot, blob, content)
        except (KeyUnknown, SnapshotAuthorUnknown):
            letter = yield from find_letter(link)
            if letter is None:
                raise
            taken = _take(link, snapshot, blob, content, letter)
        return taken
    finally:
        link.profile.discard(blob, content)


def _take(
    link: Link, snapshot: DownloadableSnapshot, blob: Path, content: Path, letter: Invitation | None = None
) -> bool:
    """Verify and store a snapshot, with what a letter tells to open it; return False if it is not ahead any more."""
    with link.profile.view() as view:
        session = _session(view, letter)
        with opened(blob) as file:
            reader = session.open_snapshot(snapshot, pieces_of(file.read, snapshot.size))
            _write(reader, content)
    with link.profile.transaction() as transaction:
        session = _session(transaction, letter)
        if reader.context.covers.seq <= session.head.seq:
            return False  # another process was faster
        session.start_at(reader)
        transaction.records.save(session)
        see_in_log(transaction.connection, [], reader.context.covers)
        superseded = put_restored(transaction.connection, link.profile.spool, content, reader.context)
    link.profile.discard(*superseded)
    return True


def _session(transaction: Transaction, letter: Invitation | None) -> VaultSession:
    session = transaction.session()
    return session if letter is None else session.rejoin(letter)


def _write(reader: SnapshotReader, content: Path) -> None:
    with created(content, to_stay=True) as file:
        for piece in reader.content():
            file.write(piece)
