"""Pushing: what the outbox holds, in its order, as often as it takes (§7.6)."""

from dataclasses import dataclass

from relay_protocol.limits import Limits
from sync_relay_client.answers import Pushed, Urgency
from sync_relay_client.envelope import Envelope
from sync_relay_client.errors import ChangeTooLarge, RelayRefused
from sync_relay_client.flow import Flow
from sync_relay_client.flows.link import Link
from sync_relay_client.flows.pulling import Pulled, pull
from sync_relay_client.profile.sending import acknowledge, next_batch

MAX_SHRINKS = 8
"""How often a push is cut smaller because the relay says that its limit is lower than it said before."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What a push did: how many changes the relay stored, or had stored already.

    `snapshot_wanted` is how much it would like a snapshot, if at all (§7.6).
    """

    changes: int
    snapshot_wanted: Urgency | None = None


@dataclass(frozen=True, slots=True)
class Synced:
    """What a sync did: changes sent, and what was pulled."""

    sent: int
    pulled: Pulled


def push(link: Link) -> Flow[Sent]:
    """Send all that is in the outbox. Whatever it raises, what was not acknowledged is kept and sent next time.

    The epoch is asked for first: in a log that was restored from a backup, a change with a witness that was lost
    would stand for ever, refused by all.
    """
    if _is_empty(link):
        return Sent(0)
    yield from link.ask(lambda vault: vault.info())
    return (yield from _send_all(link))


def _is_empty(link: Link) -> bool:
    with link.profile.view() as view:
        waiting = view.connection.execute("SELECT 1 FROM sync_relay_outbox WHERE acknowledged_seq IS NULL LIMIT 1")
        return waiting.fetchone() is None


def _send_all(link: Link) -> Flow[Sent]:
    limits = yield from link.limits()
    sent, shrinks, wanted = 0, 0, None
    while True:
        try:
            batch = _next_batch(link, limits)
        except ChangeTooLarge:
            limits = yield from link.fresh_limits()  # those that are known may be old
            batch = _next_batch(link, limits)
        if not batch:
            return Sent(sent, wanted)
        try:
            pushed = yield from link.ask(lambda vault: vault.push(batch))  # noqa: B023 -- run at once
        except RelayRefused as error:
            if error.code != "body_too_large":
                raise
            before, limits = limits, (yield from link.fresh_limits())
            shrinks += 1
            if limits.max_body_bytes < before.max_body_bytes and shrinks < MAX_SHRINKS:
                continue  # in smaller batches
            if len(batch) > 1 or shrinks >= MAX_SHRINKS:
                raise
            raise ChangeTooLarge(limits.max_body_bytes, batch[0].id) from None
        _note(link, pushed)
        sent, wanted = sent + len(batch), pushed.snapshot_wanted


def _next_batch(link: Link, limits: Limits) -> list[Envelope]:
    with link.profile.transaction() as transaction:
        session = transaction.session()
        return next_batch(transaction.connection, session, limits.max_batch, limits.max_body_bytes)


def sync(link: Link) -> Flow[Synced]:
    """Pull, push, and pull again, so that what was sent is verified, too."""
    first = yield from pull(link)
    sent = yield from _send_all(link)
    if not sent.changes:
        return Synced(0, first)
    last = yield from pull(link)
    return Synced(sent.changes, Pulled(first.changes + last.changes, last.head, first.restored or last.restored))


def _note(link: Link, pushed: Pushed) -> None:
    with link.profile.transaction() as transaction:
        acknowledge(transaction.connection, pushed.receipts)
        transaction.connection.execute("UPDATE sync_relay_device SET snapshot_wanted = ?", (pushed.snapshot_wanted,))
