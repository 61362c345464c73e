"""Fetching a snapshot's blob to a file, as often as it takes."""

from pathlib import Path

from relay_protocol.answers import DownloadableSnapshot
from sync_relay_client.errors import AnswerInvalid, RelayRefused, RelayUnreachable
from sync_relay_client.flow import Download, Flow, Progress, rising
from sync_relay_client.flows.link import Link

_EXPIRED_STATUSES = frozenset({401, 403})


def fetch(link: Link, sha256: str, blob: Path, progress: Progress | None = None) -> Flow[DownloadableSnapshot]:
    """Download a snapshot's blob; where that was cut, or its URL has expired, again from the start with a fresh one."""
    rises = rising(progress)

    def attempt() -> Flow[DownloadableSnapshot]:
        snapshot = (yield from link.ask_once(lambda vault: vault.snapshot(sha256))).snapshot
        if snapshot.download is None:
            raise AnswerInvalid("the relay offers a snapshot that can't be downloaded")
        try:
            yield Download(snapshot, blob, rises)
        except RelayRefused as error:
            raise stale_url(error) from None
        return snapshot

    return (yield from link.retry.run(attempt))


def stale_url(error: RelayRefused) -> RelayRefused | RelayUnreachable:
    """Return what a blob store's refusal means: a presigned URL that has expired is worth another attempt."""
    return RelayUnreachable("the blob's URL has expired") if error.status in _EXPIRED_STATUSES else error
