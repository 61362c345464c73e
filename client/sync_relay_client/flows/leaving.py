"""Checking a vault against what was verified of it, and ending it."""

from dataclasses import dataclass

from relay_protocol.chain import Head, extend
from relay_protocol.encoding import from_base64url
from sync_relay_client.answers import Page
from sync_relay_client.errors import ChainBroken, ForkDetected, RelayRefused, RolledBack, SequenceGap
from sync_relay_client.flow import Flow
from sync_relay_client.flows.link import Link
from sync_relay_client.flows.pulling import PAGE, pull
from sync_relay_client.session import VaultSession

GONE = frozenset({"vault_not_found", "unknown_device"})
"""What a relay answers of a vault that was erased (§7.5)."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What `verify` found right: the log from after `floor` up to `head`, all of it as this device had verified it."""

    floor: Head
    head: Head
    changesets: int
    compared: int
    """How many of them this device had verified before; the others it began after, at a snapshot."""


def verify(link: Link) -> Flow[Verified]:
    """Pull, then read the whole log again and hold it against what this device has verified.

    Raises SequenceGap, ChainBroken, ForkDetected or RolledBack, whatever pulling raises, and changes nothing.
    """
    info = yield from link.ask(lambda vault: vault.info())  # before pulling, which then goes at least as far
    floor = Head(info.floor.seq, from_base64url(info.floor.chain))
    yield from pull(link)
    with link.profile.view() as view:
        head = view.session().head
    if head.seq < info.head.seq:
        raise RolledBack("the log ends before the head that the relay told of", head.seq)
    limits = yield from link.limits()
    place, compared = floor, 0
    with link.profile.view() as view:
        _is_known(view.session(), floor)
    while place.seq < head.seq:
        since = place.seq
        limit = min(PAGE, limits.max_page, head.seq - since)
        page = yield from link.ask(lambda vault: vault.pull(since, limit))  # noqa: B023 -- run at once
        place, known = _follow(link, place, page)
        compared += known
    return Verified(floor, head, head.seq - floor.seq, compared)


def erase(link: Link) -> Flow[None]:
    """Erase the vault for ever, with the head that this device has verified.

    One that is gone already is erased. Raises RelayRefused with `head_moved` if others pushed meanwhile.
    """
    with link.profile.view() as view:
        chain = view.session().head.chain
    try:
        yield from link.ask(lambda vault: vault.erase(chain))
    except RelayRefused as error:
        if error.code not in GONE:
            raise
    with link.profile.transaction() as transaction:
        transaction.connection.execute("UPDATE sync_relay_device SET stage = 'erased'")


def _follow(link: Link, place: Head, page: Page) -> tuple[Head, int]:
    """Recompute the chain over a page; return where it ends, and how many of its changesets were known."""
    known = 0
    with link.profile.view() as view:
        session = view.session()
        for one in page.changesets:
            place = extend(place, one.envelope.digest(session.vault_id))
            if one.seq != place.seq:
                raise SequenceGap("the log does not go on where it was left", one.seq)
            if one.chain != place.chain:
                raise ChainBroken("the relay's chain is not that of the changesets", one.seq)
            known += _is_known(session, place)
    if not page.changesets:
        raise RolledBack("the log ends before the verified head", place.seq)
    return place, known


def _is_known(session: VaultSession, place: Head) -> bool:
    chain = session.chain_at(place.seq)
    if chain is not None and chain != place.chain:
        raise ForkDetected("the relay's log is not the one that this device verified", place.seq)
    return chain is not None
