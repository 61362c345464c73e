"""Pulling: page by page, each verified and stored in one transaction, the verified head with it (§11 Opening)."""

from dataclasses import dataclass

from relay_protocol.chain import Head
from sync_relay_client.answers import Page
from sync_relay_client.errors import AuthorKeyUnknown, ReceiptBroken, RelayRefused, RolledBack
from sync_relay_client.flow import Flow, Progress
from sync_relay_client.flows.link import Link
from sync_relay_client.flows.restoring import restore
from sync_relay_client.profile.queues import put_into_inbox
from sync_relay_client.profile.sending import (
    believe_no_receipt,
    is_acknowledged_up_to,
    last_acknowledged,
    see_in_log,
)

PAGE = 500


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull brought: how many changes for the app, the verified head, and whether it went on from a snapshot."""

    changes: int
    head: Head
    restored: bool

    @property
    def is_news(self) -> bool:
        """Whether there is something for the app to apply."""
        return bool(self.changes) or self.restored


def pull(link: Link, progress: Progress | None = None) -> Flow[Pulled]:
    """Pull and verify all that is new, into the inbox.

    Where the relay has pruned what comes next, the device goes on from the latest snapshot. Raises any error of
    the tree about the relay, the history or a changeset; what was verified before it stays. After ReceiptBroken what
    the relay acknowledged and does not have is sent again with the next push.
    """
    limits = yield from link.limits()
    changes, restored, furthest = 0, False, 0
    while True:
        since, acknowledged = _place(link)
        try:
            page = yield from link.ask(lambda vault: vault.pull(since, min(PAGE, limits.max_page)))  # noqa: B023
        except RelayRefused as error:
            if error.code == "history_pruned":
                restored |= yield from restore(link, progress)
                if _place(link)[0] != since:
                    continue
            if error.code == "cursor_ahead":
                yield from link.ask(lambda vault: vault.info())  # raises EpochChanged where a restore explains it
                raise RolledBack("the relay's log ends before the verified head", since) from None
            raise
        _check_end(page, furthest)
        furthest = page.head.seq
        try:
            added = _take(link, since, acknowledged, page)
        except AuthorKeyUnknown:
            yield from link.learn_keys()
            added = _take(link, since, acknowledged, page)
        if added is None:
            continue  # another process was faster
        changes += added
        if not page.has_more:
            with link.profile.view() as view:
                return Pulled(changes, view.session().head, restored)


def _place(link: Link) -> tuple[int, int]:
    """Return the verified head's seq, and the last one that the relay acknowledged."""
    with link.profile.view() as view:
        return view.session().head.seq, last_acknowledged(view.connection)


def _check_end(page: Page, furthest: int) -> None:
    if page.head.seq < furthest:
        raise RolledBack("the relay's log ends before where it ended a page ago", page.head.seq)


def _take(link: Link, since: int, acknowledged: int, page: Page) -> int | None:
    """Verify and store a page; return how many changes it brought the app, None if it is not what comes next.

    Where the relay does not have what it acknowledged, no receipt is believed any more, and all is sent again.
    """
    try:
        return _store(link, since, acknowledged, page)
    except ReceiptBroken:
        with link.profile.transaction() as transaction:
            believe_no_receipt(transaction.connection)
        raise


def _store(link: Link, since: int, acknowledged: int, page: Page) -> int | None:
    if page.head.seq < acknowledged:  # §7.7: what was answered before is in every pull that starts after
        raise ReceiptBroken("the log ends before a changeset that the relay acknowledged", acknowledged)
    if not page.changesets:
        with link.profile.view() as view:  # who only looks whether there is news, writes nothing
            session = view.session()
            session.open_page(page)
            is_settled = not is_acknowledged_up_to(view.connection, session.head)
        if not is_settled:
            with link.profile.transaction() as transaction:
                see_in_log(transaction.connection, (), transaction.session().head)
        return 0
    with link.profile.transaction() as transaction:
        connection, session = transaction.connection, transaction.session()
        if session.head.seq != since:
            return None
        opened = session.open_page(page, pass_over=transaction.passed_over())
        own_id = session.device.device_id  # another member may have taken an id of ours
        see_in_log(connection, [one.id for one in opened if one.author == own_id], session.head)
        transaction.records.save(session)
        return put_into_inbox(connection, opened)
