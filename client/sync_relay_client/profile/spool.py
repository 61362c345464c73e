"""Blobs under way: files in the profile's folder, made private, removed once their row is gone."""

import errno
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import BufferedWriter, FileIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from uuid import uuid4

from sync_relay_client.errors import ProfileUnavailable
from sync_relay_client.profile.private_file import sync_folder

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

if sys.platform != "win32":
    import fcntl

FOLDER = "spool"
STALE_SECONDS = 2 * 24 * 3600
"""After which a file that no row names is nobody's, also where other processes are at work in the folder."""
BUFFER_BYTES = 64 * 1024

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Spool:
    """The folder. Names in rows are relative to the profile's folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._directory = folder / FOLDER
        self._lock: int | None = None

    def new(self, kind: str) -> Path:
        """Return the path of a file that is not there yet. Raises ProfileUnavailable."""
        with _failures():
            self._directory.mkdir(mode=0o700, exist_ok=True)
            if self._lock is None:
                self._lock = _locked(self._directory, exclusive=False)
        return self._directory / f"{kind}-{uuid4()}"

    def path(self, name: str) -> Path:
        """Return the file that a row names."""
        return self._folder / name

    def name(self, path: Path) -> str:
        """Return what a row calls a file."""
        return str(path.relative_to(self._folder))

    def clean(self, named: Callable[[], set[str]]) -> None:
        """Remove what crashes left: files that no row names, if no other process is at work here, or they are old.

        `named` is asked once no file can be on its way to a row.
        """
        with suppress(OSError):  # what can't be removed now can be another time
            lock = _locked(self._directory, exclusive=True)
            try:
                self._clean(named(), time.time() - STALE_SECONDS, alone=lock is not None)
            finally:
                _unlock(lock)

    def close(self) -> None:
        """Be no longer at work here."""
        _unlock(self._lock)
        self._lock = None

    def _clean(self, named: set[str], stale_before: float, *, alone: bool) -> None:
        for path in self._directory.glob("*"):
            with suppress(FileNotFoundError):  # another process is through with it
                if self.name(path) not in named and (alone or path.stat().st_mtime < stale_before):
                    path.unlink()


@contextmanager
def created(path: Path, *, to_stay: bool = False) -> Iterator[BinaryIO]:
    """Write a file that nobody else can read, in the place of what was there; `to_stay`, it outlives a power cut.

    What the disk refuses is ProfileUnavailable, also where an app's code writes; its own errors are left as they are.
    """
    with _failures():
        raw = _File(_created_private(path), "w")
    with BufferedWriter(raw, BUFFER_BYTES) as file:
        yield file
        if to_stay:
            file.flush()
            with _failures():
                os.fsync(file.fileno())
                sync_folder(path.parent)


def opened(path: Path) -> BinaryIO:
    """Open a file to read it. Raises ProfileUnavailable."""
    with _failures():
        return path.open("rb")


def _created_private(path: Path) -> Path:
    """Make an empty file that nobody else can read, in the place of what was there; return its path."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600, exist_ok=False)
    return path


class _File(FileIO):
    """A file that raises ProfileUnavailable where it can't be written."""

    def write(self, data: "ReadableBuffer") -> int:
        with _failures():
            return super().write(data)


@contextmanager
def _failures() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        what = "the disk is full" if error.errno in _FULL else "the disk does not take or give it"
        symbol = errno.errorcode.get(error.errno or 0, type(error).__name__)
        raise ProfileUnavailable(f"a file of a snapshot can't be used: {what} ({symbol})") from error


def _locked(directory: Path, *, exclusive: bool) -> int | None:
    """Lock a directory until it is unlocked; None where another process holds it, or the system has no such locks.

    Raises FileNotFoundError.
    """
    if sys.platform == "win32":
        return None
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB if exclusive else fcntl.LOCK_SH)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _unlock(descriptor: int | None) -> None:
    if descriptor is not None:
        os.close(descriptor)
