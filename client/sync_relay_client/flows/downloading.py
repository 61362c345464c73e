"""Fetching a snapshot's blob to a file, as often as it takes."""

import shutil
from pathlib import Path

from relay_protocol.answers import DownloadableSnapshot
from sync_relay_client.errors import AnswerInvalid, ProfileUnavailable, RelayRefused, RelayUnreachable
from sync_relay_client.flow import Download, Flow, Progress, rising
from sync_relay_client.flows.link import Link

_EXPIRED_STATUSES = frozenset({401, 403})


def fetch(link: Link, sha256: str, blob: Path, progress: Progress | None = None) -> Flow[DownloadableSnapshot]:
    """Download a snapshot's blob; where that was cut, or its URL has expired, again from the start with a fresh one.

    Raises ProfileUnavailable where there is no room for it, and what asking raises.
    """
    rises, limits = rising(progress), (yield from link.limits())

    def attempt() -> Flow[DownloadableSnapshot]:
        snapshot = (yield from link.ask_once(lambda vault: vault.snapshot(sha256))).snapshot
        if snapshot.download is None:
            raise AnswerInvalid("the relay offers a snapshot that can't be downloaded")
        if not 0 < snapshot.size <= limits.max_snapshot_bytes:
            raise AnswerInvalid("the relay offers a snapshot larger than it takes any")
        _check_room(blob.parent, snapshot.size)
        try:
            yield Download(link.address(), snapshot, blob, rises)
        except RelayRefused as error:
            raise stale_url(error) from None
        return snapshot

    return (yield from link.retry.run(attempt))


def _check_room(folder: Path, size_bytes: int) -> None:
    """Raise ProfileUnavailable unless there is room for a blob and what is in it.

    How long a blob is, is the relay's word until it was read: a disk must not be filled on that alone.
    """
    if shutil.disk_usage(folder).free < 2 * size_bytes:
        raise ProfileUnavailable(f"no room for a snapshot of {size_bytes} bytes, twice")


def stale_url(error: RelayRefused) -> RelayRefused | RelayUnreachable:
    """Return what a blob store's refusal means: a presigned URL that has expired is worth another attempt."""
    return RelayUnreachable("the blob's URL has expired") if error.status in _EXPIRED_STATUSES else error
