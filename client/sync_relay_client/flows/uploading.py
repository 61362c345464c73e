"""Sending sealed blobs (§7.8): announced, uploaded, completed; again from the start where that was cut."""

from collections.abc import Mapping

from relay_protocol.encoding import base64url
from sync_relay_client.errors import ProfileUnavailable, RelayRefused, RelayUnreachable
from sync_relay_client.flow import Flow, Progress, Upload
from sync_relay_client.flows.downloading import stale_url
from sync_relay_client.flows.link import Link
from sync_relay_client.profile.uploads import PendingUpload, drop_upload, next_upload
from sync_relay_client.retry import is_temporary

_OUTDATED = frozenset({"covers_mismatch", "cursor_ahead", "snapshot_conflict"})
"""What a relay answers whose store was restored since."""
_ABOUT_THE_DEVICE = frozenset({401, 403, 404})
"""Refusals of whoever asks, not of the blob."""
_NOT_THERE = frozenset({"upload_incomplete", "snapshot_not_found"})


def resume_uploads(link: Link) -> Flow[None]:
    """Send the blobs that were sealed and are not at the relay yet. Outdated ones are given up."""
    while True:
        try:
            yield from send_pending(link, {})
        except RelayRefused as error:
            if error.code not in _OUTDATED:
                raise
        else:
            return


def send_pending(link: Link, fresh: Mapping[bytes, Progress | None]) -> Flow[None]:
    """Send the blobs that wait, in their order. One that the relay will never take is given up, and that raised.

    `fresh` are those that were never tried, by their hash, and who wants to be told of each.
    """
    while (upload := _next(link)) is not None:
        if not upload.is_whole:  # another process has sent it, or made another snapshot
            _drop(link, upload)
            continue
        try:
            yield from _send(
                link, upload, fresh.get(upload.measure.sha256), was_tried=upload.measure.sha256 not in fresh
            )
        except ProfileUnavailable:
            if upload.is_whole:
                raise
        except RelayRefused as error:
            if not is_temporary(error) and error.status not in _ABOUT_THE_DEVICE:
                _drop(link, upload)
            raise
        _drop(link, upload)


def _send(link: Link, upload: PendingUpload, progress: Progress | None, *, was_tried: bool) -> Flow[None]:
    """Announce, upload and complete; each attempt begins with a fresh URL, and ends early if the blob is there."""
    may_be_there = was_tried

    def attempt() -> Flow[None]:
        nonlocal may_be_there
        announced = yield from link.ask_once(lambda vault: vault.announce(upload.context, upload.measure))
        if announced.upload is None or (may_be_there and (yield from _completed(link, upload))):
            return
        may_be_there = True
        try:
            yield Upload(link.address(), announced.upload, upload.blob, progress)
        except RelayRefused as error:
            raise stale_url(error) from None
        if not (yield from _completed(link, upload)):
            raise RelayUnreachable("the upload did not arrive whole")

    yield from link.retry.run(attempt)


def _completed(link: Link, upload: PendingUpload) -> Flow[bool]:
    """Make the snapshot available, if its blob is there."""
    try:
        yield from link.ask_once(lambda vault: vault.complete(base64url(upload.measure.sha256)))
    except RelayRefused as error:
        if error.code not in _NOT_THERE:
            raise
        return False
    return True


def _next(link: Link) -> PendingUpload | None:
    with link.profile.view() as view:
        return next_upload(view.connection, link.profile.spool, view.session().vault_id)


def _drop(link: Link, upload: PendingUpload) -> None:
    with link.profile.transaction() as transaction:
        drop_upload(transaction.connection, upload)
    link.profile.discard(upload.blob)
