"""A blob on its way in: hashed while it is written aside, and in its place whole or not at all."""

import fcntl
import os
import secrets
from contextlib import suppress
from functools import partial
from hashlib import sha256
from io import FileIO
from pathlib import Path
from threading import Lock

from relay.adapters.filesystem.failures import unavailable_on_os_error
from relay.adapters.filesystem.key import sync_directory
from relay.adapters.filesystem.tokens import Grant
from relay_protocol.errors import BodyTooLarge, UploadIncomplete

RENAME_ATTEMPTS = 5


class PendingUpload:
    """The bytes that came so far, in a file aside. Call `write` as they come, then `commit`; `discard` in any case.

    Methods block, and may be called from any thread. A process that dies leaves its file to `clean_stale_uploads`,
    which knows by the lock on it whether somebody still writes.
    """

    def __init__(self, aside_directory: Path, destination: Path, grant: Grant) -> None:
        self._destination = destination
        self._grant = grant
        self._hash = sha256()
        self._written_bytes = 0
        self._aside: Path | None
        self._lock = Lock()
        with unavailable_on_os_error("a blob can't be begun"):
            self._aside, self._file = _make_locked_file(aside_directory)

    def write(self, chunk: bytes | bytearray) -> None:
        """Take more bytes. Raises BodyTooLarge past the granted size, StoreUnavailable where they can't be kept."""
        with self._lock:
            if self._written_bytes + len(chunk) > self._grant.size_bytes:
                raise BodyTooLarge(self._grant.size_bytes)
            rest = memoryview(chunk)
            with unavailable_on_os_error("a blob can't be written"):
                while rest:
                    rest = rest[self._file.write(rest) :]
            self._written_bytes += len(chunk)
            self._hash.update(chunk)

    def commit(self) -> None:
        """Put the blob into its place; once this returns, it survives the loss of power.

        Raises UploadIncomplete unless these are the granted bytes, StoreUnavailable where they can't be kept.
        """
        with self._lock:
            if self._written_bytes != self._grant.size_bytes or self._hash.digest() != self._grant.sha256:
                raise UploadIncomplete
            with unavailable_on_os_error("a blob can't be kept"):
                os.fsync(self._file.fileno())
                self._rename()
                with suppress(FileNotFoundError):  # a deletion took the blob at once, and the directory with it
                    sync_directory(self._destination.parent)
                sync_directory(self._destination.parent.parent)

    def discard(self) -> None:
        """Leave nothing aside. After a commit, and again, this changes nothing."""
        with self._lock, unavailable_on_os_error("a blob's rest can't be removed"):
            self._file.close()
            if self._aside is not None:
                self._aside.unlink(missing_ok=True)
                self._aside = None

    def _rename(self) -> None:
        assert self._aside is not None, "an upload is committed once"
        for attempts_left in reversed(range(RENAME_ATTEMPTS)):
            with suppress(FileExistsError):  # `exist_ok` would look again, and fail where a deletion took it
                self._destination.parent.mkdir(mode=0o700)
            try:
                self._aside.rename(self._destination)
            except FileNotFoundError:
                if not attempts_left:  # else a deletion took the vault's empty directory in between
                    raise
            else:
                self._aside = None
                return


def _make_locked_file(directory: Path) -> tuple[Path, FileIO]:
    """Make a new file with a lock on it; anew if it was cleaned up before it had one."""
    while True:
        path = directory / secrets.token_hex(16)
        file = FileIO(path, "x+", opener=partial(os.open, mode=0o600))
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            if os.fstat(file.fileno()).st_nlink:
                return path, file
        except OSError:  # a file system without locks
            file.close()
            with suppress(OSError):
                path.unlink(missing_ok=True)
            raise
        file.close()


def clean_stale_uploads(aside_directory: Path) -> int:
    """Remove what uploads left that died with their process; return how many. Those under way stay."""
    removed = 0
    with unavailable_on_os_error("stale uploads can't be removed"):
        for path in aside_directory.iterdir():
            # What is gone ended by itself since it was listed; what is locked is under way.
            with suppress(FileNotFoundError, BlockingIOError), path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()
                removed += 1
    return removed
