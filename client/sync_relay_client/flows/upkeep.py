"""Keeping up: all that a device has to do now and then, in order."""

from relay_protocol.chain import Head
from sync_relay_client.errors import RelayRefused, RelayUnreachable
from sync_relay_client.flow import Flow
from sync_relay_client.flows.link import Link
from sync_relay_client.flows.pulling import Pulled
from sync_relay_client.flows.pushing import Synced, sync
from sync_relay_client.flows.rotating import resume
from sync_relay_client.flows.uploading import resume_uploads
from sync_relay_client.retry import is_temporary
from sync_relay_client.status import status_of


def keep_up(link: Link) -> Flow[Synced]:
    """Finish the revocations that were begun, pull and push, and send what was sealed before."""
    yield from resume(link)
    synced = yield from sync(link)
    yield from resume_uploads(link)
    return synced


def look_for_news(link: Link, told: Head | None) -> Flow[Pulled | None]:
    """Keep up as far as the relay lets us; return what there is to apply, None where nothing is new.

    Not only what this pull brought is news: another process of the profile may have pulled it, or what comes after a
    pull may have failed. `told` is the head of the last news: what waits since then was told already.
    """
    pulled = yield from _try_to_keep_up(link)
    if pulled is not None and pulled.is_news:
        return pulled
    with link.profile.view() as view:
        status = status_of(view)
    waiting = Pulled(status.inbox, status.head, status.restored)
    return waiting if waiting.is_news and waiting.head != told else None


def _try_to_keep_up(link: Link) -> Flow[Pulled | None]:
    """Keep up; None where the relay can't be reached now, or asks to come back later."""
    try:
        return (yield from keep_up(link)).pulled
    except (RelayUnreachable, RelayRefused) as error:
        if not is_temporary(error):
            raise
        return None
