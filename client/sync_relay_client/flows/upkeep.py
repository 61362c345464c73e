"""Keeping up: all that a device has to do now and then, in order."""

from sync_relay_client.errors import RelayRefused, RelayUnreachable
from sync_relay_client.flow import Flow
from sync_relay_client.flows.link import Link
from sync_relay_client.flows.pushing import Synced, sync
from sync_relay_client.flows.rotating import resume
from sync_relay_client.flows.uploading import resume_uploads
from sync_relay_client.retry import is_temporary


def keep_up(link: Link) -> Flow[Synced]:
    """Finish the revocations that were begun, pull and push, and send what was sealed before."""
    yield from resume(link)
    synced = yield from sync(link)
    yield from resume_uploads(link)
    return synced


def try_to_keep_up(link: Link) -> Flow[Synced | None]:
    """Keep up; None where the relay can't be reached now, or asks to come back later."""
    try:
        return (yield from keep_up(link))
    except (RelayUnreachable, RelayRefused) as error:
        if not is_temporary(error):
            raise
        return None
