"""Letters at the relay: left beside a snapshot, and read by a device that can't open the latest one."""

from sync_relay_client.errors import InvitationInvalid, KeyUnknown, RolledBack, SnapshotInvalid
from sync_relay_client.flow import Flow
from sync_relay_client.flows.downloading import fetch
from sync_relay_client.flows.link import Link
from sync_relay_client.letters import are_letters, open_letter
from sync_relay_client.profile.spool import opened
from sync_relay_client.transport import pieces_of


def read_letter(link: Link) -> Flow[None]:
    """Take the newest letter for this device: it then has the vault's keys and members. Raises KeyUnknown without one.

    Letters that can't be opened are passed over: the relay, or another program, may have put anything there.
    """
    listed = (yield from link.ask(lambda vault: vault.snapshots())).snapshots
    with link.profile.view() as view:
        session = view.session()
    for snapshot in listed:
        if are_letters(snapshot, session) and (yield from _take(link, snapshot.sha256)):
            return
    raise KeyUnknown("a rekey came that this device did not see: another device has to invite it anew")


def _take(link: Link, sha256: str) -> Flow[bool]:
    blob = link.profile.spool.new("letters")
    try:
        snapshot = yield from fetch(link, sha256, blob)
        with link.profile.transaction() as transaction, opened(blob) as file:
            session = transaction.session()
            invitation = open_letter(session, pieces_of(file.read, snapshot.size))
            transaction.records.save(session.rejoin(invitation))
    except (SnapshotInvalid, InvitationInvalid, KeyUnknown, RolledBack):
        return False
    finally:
        blob.unlink(missing_ok=True)
    return True
