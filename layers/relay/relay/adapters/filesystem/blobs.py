"""Snapshot blobs as files: `<vault_id>/<uuid>.<SHA-256 in hex>` below one directory, uploads under way in `.uploads`.

The hash that an upload was checked against stands in the file's name, so name and content appear in one step.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from relay.adapters.filesystem.failures import unavailable_on_os_error
from relay.adapters.filesystem.key import sync_directory
from relay.adapters.filesystem.tokens import Grant, Operation, Tokens
from relay.adapters.filesystem.upload import PendingUpload, clean_stale_uploads
from relay.ports import BlobStat, Upload
from relay_protocol.encoding import is_uuid

ROUTE = "/blobs/"
UPLOAD_FIELDS = {"Content-Type": "application/octet-stream"}

_FILE_NAME = re.compile(r"([0-9a-f-]{36})\.([0-9a-f]{64})")


class FilesystemBlobs:
    """The port `Blobs` over a directory, and the transfers that its URLs stand for. `key` is the relay's key."""

    def __init__(self, directory: Path, key: bytes) -> None:
        self._directory = directory
        self._aside_directory = directory / ".uploads"
        self._tokens = Tokens(key)
        with unavailable_on_os_error("the blobs' directory"):
            self._aside_directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    # -------- the port

    def presign_upload(self, blob_key: str, size_bytes: int, sha256: bytes, expires_at_ms: int, origin: str) -> Upload:
        """Return an upload to the embedded server."""
        grant = Grant("PUT", blob_key, expires_at_ms, size_bytes, sha256)
        return Upload(self._url(grant, origin), UPLOAD_FIELDS)

    def presign_download(self, blob_key: str, expires_at_ms: int, origin: str) -> str:
        """Return a URL of the embedded server."""
        return self._url(Grant("GET", blob_key, expires_at_ms), origin)

    def stat(self, blob_key: str) -> BlobStat | None:
        """Return the file's length, and the SHA-256 that its upload was checked against."""
        with unavailable_on_os_error("a blob can't be looked up"):
            path = self.find(blob_key)
            if path is None:
                return None
            try:
                return BlobStat(path.stat().st_size, bytes.fromhex(path.suffix[1:]))
            except FileNotFoundError:  # deleted in between
                return None

    def delete(self, blob_key: str) -> None:
        """Remove the file, and the vault's directory with the last one."""
        with unavailable_on_os_error("a blob can't be deleted"):
            path = self.find(blob_key)
            if path is None:
                return
            path.unlink(missing_ok=True)
            with suppress(FileNotFoundError):  # somebody else took the empty directory
                sync_directory(path.parent)
            with suppress(OSError):  # other blobs are there
                path.parent.rmdir()
            sync_directory(self._directory)

    def keys(self, after: str = "") -> Iterator[str]:
        """See `Blobs.keys`. A vault's are listed when it is its turn."""
        first = after.partition("/")[0]
        with unavailable_on_os_error("blobs can't be listed"):
            vault_ids = sorted(path.name for path in self._directory.iterdir() if is_uuid(path.name))
        for vault_id in vault_ids[bisect_left(vault_ids, first) :]:
            with unavailable_on_os_error("blobs can't be listed"):
                matches = [_FILE_NAME.fullmatch(name) for name in self._names(vault_id)]
            keys = sorted(f"{vault_id}/{match[1]}" for match in matches if match)
            yield from (key for key in keys if key > after)

    # -------- what the embedded server needs for the transfers

    def judge(self, token: str, operation: Operation, now_ms: int) -> Grant:
        """Return what a URL's token grants. Raises SignatureInvalid or SignatureExpired."""
        return self._tokens.judge(token, operation, now_ms)

    def begin_upload(self, grant: Grant) -> PendingUpload:
        """Begin to take a granted upload. Raises StoreUnavailable."""
        vault_id, blob_id = _parts(grant.blob_key)
        destination = self._directory / vault_id / f"{blob_id}.{grant.sha256.hex()}"
        return PendingUpload(self._aside_directory, destination, grant)

    def find(self, blob_key: str) -> Path | None:
        """Return the file of a blob; None if there is none."""
        vault_id, blob_id = _parts(blob_key)
        for name in self._names(vault_id):
            match = _FILE_NAME.fullmatch(name)
            if match and match[1] == blob_id:
                return self._directory / vault_id / name
        return None

    def clean_stale_uploads(self) -> int:
        """Remove what killed uploads left; return how many. Safe at any time, also from another process."""
        return clean_stale_uploads(self._aside_directory)

    def _names(self, vault_id: str) -> list[str]:
        try:
            return [path.name for path in (self._directory / vault_id).iterdir()]
        except FileNotFoundError:
            return []

    def _url(self, grant: Grant, origin: str) -> str:
        _parts(grant.blob_key)
        return f"{origin}{ROUTE}{self._tokens.issue(grant)}"


def _parts(blob_key: str) -> tuple[str, str]:
    """Split a key; raise ValueError for any that could lead out of the directory."""
    vault_id, _, blob_id = blob_key.partition("/")
    if not (is_uuid(vault_id) and is_uuid(blob_id)):
        raise ValueError("not a blob's key")
    return vault_id, blob_id
