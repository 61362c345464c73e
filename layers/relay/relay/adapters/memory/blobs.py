"""Snapshot blobs in memory, with the checks of a real store."""

from collections.abc import Iterator, Mapping
from hashlib import sha256

from relay.ports import BlobStat, Upload


class MemoryBlobs:
    """`relay.ports.Blobs`, and what a client does with the URLs: `put` and `get`."""

    def __init__(self) -> None:
        self._blobs: dict[str, bytes] = {}
        self._uploads: dict[str, tuple[str, int, bytes, int]] = {}
        self._downloads: dict[str, tuple[str, int]] = {}

    def presign_upload(self, blob_key: str, size_bytes: int, sha256: bytes, expires_at_ms: int, origin: str) -> Upload:
        """See `Blobs.presign_upload`."""
        url = f"{origin}/blobs/{blob_key}?upload={expires_at_ms}"
        self._uploads[url] = (blob_key, size_bytes, sha256, expires_at_ms)
        return Upload(url, {"Content-Length": str(size_bytes)})

    def presign_download(self, blob_key: str, expires_at_ms: int, origin: str) -> str:
        """See `Blobs.presign_download`."""
        url = f"{origin}/blobs/{blob_key}?download={expires_at_ms}"
        self._downloads[url] = (blob_key, expires_at_ms)
        return url

    def put(self, url: str, headers: Mapping[str, str], body: bytes, now_ms: int) -> bool:
        """Upload as a client would; return whether the store took it."""
        if url not in self._uploads:
            return False
        blob_key, size_bytes, digest, expires_at_ms = self._uploads[url]
        if now_ms >= expires_at_ms or headers.get("Content-Length") != str(size_bytes):
            return False
        if len(body) != size_bytes or sha256(body).digest() != digest:
            return False
        self._blobs[blob_key] = body
        return True

    def get(self, url: str, now_ms: int) -> bytes | None:
        """Download as a client would; None where the store has it not, or no longer gives it."""
        blob_key, expires_at_ms = self._downloads.get(url, ("", 0))
        return self._blobs.get(blob_key) if now_ms < expires_at_ms else None

    def stat(self, blob_key: str) -> BlobStat | None:
        """See `Blobs.stat`."""
        body = self._blobs.get(blob_key)
        return None if body is None else BlobStat(len(body), sha256(body).digest())

    def delete(self, blob_key: str) -> None:
        """See `Blobs.delete`."""
        self._blobs.pop(blob_key, None)

    def keys(self, after: str = "") -> Iterator[str]:
        """See `Blobs.keys`."""
        at_once = list(self._blobs)  # one step, whatever other threads put and delete
        yield from sorted(key for key in at_once if key > after)
