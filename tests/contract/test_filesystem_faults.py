"""The file store when the disk is full or a directory may not be used: one short reason, and nothing half stored."""

import errno
import os
import tempfile
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from relay.adapters.filesystem import FilesystemBlobs, Grant, PendingUpload
from relay.ports import StoreUnavailable
from relay_protocol.errors import UploadIncomplete
from tests.contract.blob_worlds import KEY, OTHER_KEY
from tests.contract.failing_disk import file_size_limit, ordinary_user

BODY = bytes(range(256)) * 400
VAULT = KEY.partition("/")[0]
CALLS: dict[str, Callable[[FilesystemBlobs], object]] = {
    "a blob can't be looked up": lambda blobs: blobs.stat(KEY),
    "a blob can't be deleted": lambda blobs: blobs.delete(KEY),
    "blobs can't be listed": lambda blobs: list(blobs.keys()),
}


@pytest.fixture
def directory() -> Iterator[Path]:
    """A directory that is reached by an ordinary user, too."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o777)
        yield Path(made) / "blobs"


@pytest.fixture
def blobs(directory: Path) -> FilesystemBlobs:
    """A store, of an ordinary user, that holds one blob."""
    with ordinary_user():
        blobs = FilesystemBlobs(directory, b"k" * 32)
        store(blobs, KEY)
    return blobs


def begin(blobs: FilesystemBlobs, key: str) -> PendingUpload:
    return blobs.begin_upload(Grant("PUT", key, 0, len(BODY), sha256(BODY).digest()))


def store(blobs: FilesystemBlobs, key: str) -> None:
    upload = begin(blobs, key)
    try:
        upload.write(BODY)
        upload.commit()
    finally:
        upload.discard()


def is_whole(directory: Path, blobs: FilesystemBlobs) -> bool:
    """The one blob is there and no other, nothing is left aside, and the next upload succeeds."""
    whole = list(blobs.keys()) == [KEY] and list((directory / ".uploads").iterdir()) == []
    store(blobs, OTHER_KEY)
    return whole and list(blobs.keys()) == [KEY, OTHER_KEY]


def test_a_disk_that_fills_up_is_told_and_nothing_is_stored(directory: Path, blobs: FilesystemBlobs) -> None:
    with file_size_limit(len(BODY) // 2), pytest.raises(StoreUnavailable, match=r"^a blob can't be written: EFBIG$"):
        store(blobs, OTHER_KEY)
    assert is_whole(directory, blobs)


def test_a_disk_that_says_only_in_the_end_that_it_is_full(
    directory: Path, blobs: FilesystemBlobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As network file systems do: they take the bytes, and fail when they have to keep them."""

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StoreUnavailable, match=r"^a blob can't be kept: ENOSPC$"):
            store(blobs, OTHER_KEY)
    assert is_whole(directory, blobs)


def test_a_blob_that_was_not_written_whole_is_not_kept_whatever_its_sender_sent(
    directory: Path, blobs: FilesystemBlobs
) -> None:
    upload = begin(blobs, OTHER_KEY)
    with file_size_limit(len(BODY) // 2), pytest.raises(StoreUnavailable):
        upload.write(BODY)
    with pytest.raises(UploadIncomplete):
        upload.commit()
    upload.discard()
    assert is_whole(directory, blobs)


@pytest.mark.parametrize("where", [".", VAULT])
@pytest.mark.parametrize("what", CALLS)
def test_a_directory_that_may_not_be_read_is_told(
    directory: Path, blobs: FilesystemBlobs, what: str, where: str
) -> None:
    """Not taken for an empty one: retention would mourn blobs that are there, and clients upload them again."""
    (directory / where).chmod(0)
    with ordinary_user(), pytest.raises(StoreUnavailable, match=f"^{what}: EACCES$"):
        CALLS[what](blobs)
    (directory / where).chmod(0o700)
    assert is_whole(directory, blobs)


@pytest.mark.parametrize(
    ("where", "call", "reason"),
    [
        (".uploads", lambda blobs: store(blobs, OTHER_KEY), "a blob can't be begun"),
        (VAULT, lambda blobs: store(blobs, OTHER_KEY), "a blob can't be kept"),
        (VAULT, lambda blobs: blobs.delete(KEY), "a blob can't be deleted"),
    ],
    ids=["begin", "keep", "delete"],
)
def test_a_directory_that_may_not_be_written_is_told_and_nothing_changes(
    directory: Path, blobs: FilesystemBlobs, where: str, call: Callable[[FilesystemBlobs], object], reason: str
) -> None:
    (directory / where).chmod(0o500)
    with ordinary_user(), pytest.raises(StoreUnavailable, match=f"^{reason}: EACCES$"):
        call(blobs)
    (directory / where).chmod(0o700)
    assert is_whole(directory, blobs)


def test_stale_uploads_that_may_not_be_removed_are_told(directory: Path, blobs: FilesystemBlobs) -> None:
    with ordinary_user():
        (directory / ".uploads" / "stale").touch()
        (directory / ".uploads").chmod(0o500)
        with pytest.raises(StoreUnavailable, match=r"^stale uploads can't be removed: EACCES$"):
            blobs.clean_stale_uploads()
    (directory / ".uploads").chmod(0o700)
    assert blobs.clean_stale_uploads() == 1


def test_a_directory_that_cannot_be_made_stops_the_start(directory: Path) -> None:
    directory.touch()
    with pytest.raises(StoreUnavailable, match=r"^the blobs' directory: (ENOTDIR|EEXIST)$"):
        FilesystemBlobs(directory, b"k" * 32)
