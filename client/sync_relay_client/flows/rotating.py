"""Rotation (§11): a rekey first, sealed under the old key, then the relay's revocation. A crash resumes."""

from collections.abc import Callable

from relay_protocol.chain import Head
from relay_protocol.encoding import is_thumbprint
from sync_relay_client.envelope import Envelope
from sync_relay_client.errors import NotCaughtUp, RelayRefused
from sync_relay_client.flow import Flow
from sync_relay_client.flows.link import Link
from sync_relay_client.flows.pulling import pull
from sync_relay_client.session import VaultSession

MAX_RACES = 100
"""How often the head may move between pulling it and pushing the rekey on it."""


def rotate(link: Link) -> Flow[None]:
    """Bring a new vault key to all who belong."""
    yield from _rekey(link, lambda session: session.membership.belonging)


def revoke(link: Link, device_id: str) -> Flow[None]:
    """End a device's belonging: rotate the key without it, then revoke it at the relay.

    What was begun is noted first: `resume` finishes it. Raises ValueError for what is no device's id, and for this
    device itself: another one has to do it, since who leaves can't draw the key that stays.
    """
    if not is_thumbprint(device_id):
        raise ValueError("a device's id has 43 characters of base64url")
    with link.profile.transaction() as transaction:
        if device_id == transaction.session().device.device_id:
            raise ValueError("a device can't revoke itself: another one has to")
        transaction.connection.execute("INSERT OR IGNORE INTO sync_relay_revocations VALUES (?)", (device_id,))
    yield from resume(link)


def resume(link: Link) -> Flow[int]:
    """Finish the revocations that were begun; return how many."""
    with link.profile.view() as view:
        pending = [row[0] for row in view.connection.execute("SELECT device_id FROM sync_relay_revocations")]
    if not pending:
        return 0
    leaving = frozenset(pending)
    yield from _rekey(link, lambda session: _without(session.membership.belonging, leaving))
    for device_id in pending:
        yield from _revoke_at_relay(link, device_id)
        with link.profile.transaction() as transaction:
            transaction.connection.execute("DELETE FROM sync_relay_revocations WHERE device_id = ?", (device_id,))
    return len(pending)


def _rekey(link: Link, staying: Callable[[VaultSession], frozenset[str]]) -> Flow[None]:
    """Push a rekey on the verified head, again where that moved, and see it in the log.

    `staying` returns no one where a rekey is not needed (any more). Where an answer was lost, asking again shows
    that the rekey is there: a duplicate is no second one.
    """
    for _ in range(MAX_RACES):
        yield from pull(link)
        sealed = yield from link.look(lambda session: _sealed(session, staying(session)))
        if sealed is None:
            return
        envelope, head = sealed
        try:
            yield from link.ask(lambda vault: vault.push([envelope], if_match=head.chain))  # noqa: B023 -- run at once
        except RelayRefused as error:
            if error.code != "head_moved":
                raise
        else:
            yield from pull(link)
            return
    raise NotCaughtUp("others push faster than the rekey comes through: try again later")


def _without(belonging: frozenset[str], leaving: frozenset[str]) -> frozenset[str]:
    return belonging - leaving if belonging & leaving else frozenset()


def _sealed(session: VaultSession, staying: frozenset[str]) -> tuple[Envelope, Head] | None:
    return (session.rekey(staying), session.head) if staying else None


def _revoke_at_relay(link: Link, device_id: str) -> Flow[None]:
    try:
        yield from link.ask(lambda vault: vault.revoke(device_id))
    except RelayRefused as error:
        if error.code != "device_not_found":  # it was admitted in the log, and never came to the relay
            raise
