"""The file store's calls of the system failing, each in turn: it is told in one way, and no blob is half there."""

import contextlib
import errno
import fcntl
import os
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from typing import Any

import pytest

from relay.adapters.filesystem import FilesystemBlobs, upload
from relay.ports import Blobs, StoreUnavailable
from tests.contract.blob_worlds import KEY, OTHER_KEY
from tests.contract.test_filesystem_faults import begin, store
from tests.figures import Report

NAMES = ("mkdir", "rename", "unlink", "rmdir", "stat", "fstat", "listdir", "scandir", "open", "fsync")
ERRORS = (errno.ENOSPC, errno.EIO, errno.EROFS)


class Calls:
    """Counts calls of the system, and lets the one at a place fail; each kind of error comes in turn."""

    def __init__(self, place: int, patch: pytest.MonkeyPatch) -> None:
        self.made = 0
        self._place = place
        for name in NAMES:
            patch.setattr(os, name, self._watched(getattr(os, name)))
        patch.setattr(fcntl, "flock", self._watched(fcntl.flock))
        watched = self._watched(FileIO.write)

        class Watched(FileIO):
            write = watched

        patch.setattr(upload, "FileIO", Watched)

    def _watched(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*arguments: Any, **named: Any) -> Any:
            place, self.made = self.made, self.made + 1
            if place == self._place:
                error = ERRORS[place % len(ERRORS)]
                raise OSError(error, os.strerror(error))
            return call(*arguments, **named)

        return watched


def deleted(blobs: FilesystemBlobs) -> None:
    blobs.delete(KEY)


def cleaned(blobs: FilesystemBlobs) -> None:
    begin(blobs, OTHER_KEY)._file.close()  # as a process that is killed leaves it
    blobs.clean_stale_uploads()


METHODS: dict[str, tuple[Callable[[FilesystemBlobs], object], list[str]]] = {
    "stat": (lambda blobs: blobs.stat(KEY), [KEY]),
    "delete": (deleted, []),
    "keys": (lambda blobs: list(blobs.keys()), [KEY]),
    "upload": (lambda blobs: store(blobs, OTHER_KEY), [KEY, OTHER_KEY]),
    "clean_stale_uploads": (cleaned, [KEY]),
    "presign_upload": (lambda blobs: blobs.presign_upload(KEY, 1, b"", 0, "http://relay.example"), [KEY]),
    "presign_download": (lambda blobs: blobs.presign_download(KEY, 0, "http://relay.example"), [KEY]),
}
"""What is done, and which blobs are there after that."""


def test_every_method_is_enumerated() -> None:
    assert METHODS.keys() >= {name for name in vars(Blobs) if not name.startswith("_")}


@pytest.mark.parametrize("name", METHODS)
def test_one_call_that_fails_anywhere_is_told_or_not_noticed(
    home: Path, name: str, monkeypatch: pytest.MonkeyPatch, report: Report
) -> None:
    """Opening the store is among the places."""
    method, left = METHODS[name]
    place, made = 0, 1
    while place < made:
        store(FilesystemBlobs(folder := home / f"{name} {place}", b"k" * 32), KEY)
        with monkeypatch.context() as patch:
            calls = Calls(place, patch)
            with contextlib.suppress(StoreUnavailable):
                method(FilesystemBlobs(folder, b"k" * 32))
            made = max(made, calls.made)
        blobs = FilesystemBlobs(folder, b"k" * 32)
        assert set(blobs.keys()) in ({KEY}, set(left)), "a blob went, or came in part"
        method(blobs)
        assert list(blobs.keys()) == sorted(left)
        assert bool(blobs.stat(KEY)) == (KEY in left)
        blobs.clean_stale_uploads()
        assert not list((folder / ".uploads").iterdir())
        place += 1
    report("places", place)
