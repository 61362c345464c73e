"""A blob on its way in: hashed while it is written aside, and in its place whole or not at all."""

import fcntl
import os
import secrets
from hashlib import sha256
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
        self._received_bytes = 0
        self._aside: Path | None = aside_directory / secrets.token_hex(16)
        self._lock = Lock()
        with unavailable_on_os_error("a blob can't be begun"):
            self._aside.touch(mode=0o600, exist_ok=False)
            self._file = self._aside.open("r+b", buffering=0)
            fcntl.flock(self._file, fcntl.LOCK_EX)

    def write(self, chunk: bytes) -> None:
        """Take more bytes. Raises BodyTooLarge past the granted size, StoreUnavailable where they can't be kept."""
        with self._lock:
            self._received_bytes += len(chunk)
            if self._received_bytes > self._grant.size_bytes:
                raise BodyTooLarge(self._grant.size_bytes)
            self._hash.update(chunk)
            rest = memoryview(chunk)
            with unavailable_on_os_error("a blob can't be written"):
                while rest:
                    rest = rest[self._file.write(rest) :]

    def commit(self) -> None:
        """Put the blob into its place; once this returns, it survives the loss of power.

        Raises UploadIncomplete unless these are the granted bytes, StoreUnavailable where they can't be kept.
        """
        with self._lock:
            if self._received_bytes != self._grant.size_bytes or self._hash.digest() != self._grant.sha256:
                raise UploadIncomplete
            with unavailable_on_os_error("a blob can't be kept"):
                os.fsync(self._file.fileno())
                self._rename()
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
            self._destination.parent.mkdir(mode=0o700, exist_ok=True)
            try:
                self._aside.rename(self._destination)
            except FileNotFoundError:
                if not attempts_left:  # else a deletion took the vault's empty directory in between
                    raise
            else:
                self._aside = None
                return


def clean_stale_uploads(aside_directory: Path) -> int:
    """Remove what uploads left that died with their process; return how many. Those under way stay."""
    removed = 0
    with unavailable_on_os_error("stale uploads can't be removed"):
        for path in aside_directory.iterdir():
            with path.open("rb") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
                path.unlink(missing_ok=True)
                removed += 1
    return removed
