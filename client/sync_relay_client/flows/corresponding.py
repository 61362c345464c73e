"""Letters at the relay: read by a device that can't open the latest snapshot."""

from sync_relay_client.errors import InvitationInvalid, KeyUnknown, RolledBack, SnapshotInvalid
from sync_relay_client.flow import Flow
from sync_relay_client.flows.downloading import fetch
from sync_relay_client.flows.link import Link
from sync_relay_client.invitation import Invitation
from sync_relay_client.letters import are_letters, open_letter
from sync_relay_client.profile.spool import opened
from sync_relay_client.transport import pieces_of

MAX_LETTERS = 16
"""How many are read at most: a relay keeps as many as it keeps snapshots, three by default."""


def find_letter(link: Link) -> Flow[Invitation | None]:
    """Return the newest invitation that was left for this device; None without one.

    Letters that can't be opened are passed over: the relay, or another program, may have put anything there.
    """
    listed = (yield from link.ask(lambda vault: vault.snapshots())).snapshots
    with link.profile.view() as view:
        session = view.session()
    letters = [snapshot for snapshot in listed if are_letters(snapshot, session)]
    for snapshot in letters[:MAX_LETTERS]:
        letter = yield from _read(link, snapshot.sha256)
        if letter is not None:
            return letter
    return None


def _read(link: Link, sha256: str) -> Flow[Invitation | None]:
    blob = link.profile.spool.new("letters")
    try:
        snapshot = yield from fetch(link, sha256, blob)
        with link.profile.view() as view, opened(blob) as file:
            session = view.session()
            letter = open_letter(session, pieces_of(file.read, snapshot.size))
            session.rejoin(letter)
    except (SnapshotInvalid, InvitationInvalid, KeyUnknown, RolledBack):
        return None
    finally:
        blob.unlink(missing_ok=True)
    return letter
