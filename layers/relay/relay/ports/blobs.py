"""Snapshots' blobs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Upload:
    """A presigned upload: PUT the announced bytes to `url` with exactly these header fields."""

    url: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class BlobStat:
    """What the store holds: length and SHA-256 as the store itself has checked them."""

    size_bytes: int
    sha256: bytes


class Blobs(Protocol):
    """Snapshot blobs by key, `<vault_id>/<uuid>`. A key is never given to two announcements.

    `origin` is the relay's base URL as the client sees it, for stores that the relay serves itself.
    """

    def presign_upload(self, blob_key: str, size_bytes: int, sha256: bytes, expires_at_ms: int, origin: str) -> Upload:
        """Return an upload that takes only the bytes of this size and SHA-256, until it expires.

        A blob appears whole or not at all, and survives the loss of power once the upload was answered.
        """

    def presign_download(self, blob_key: str, expires_at_ms: int, origin: str) -> str:
        """Return a URL that GETs the blob until it expires."""

    def stat(self, blob_key: str) -> BlobStat | None:
        """Return what is stored under the key; None if nothing is."""

    def delete(self, blob_key: str) -> None:
        """Remove the blob. Removing one that is not there is fine."""

    def keys(self, after: str = "") -> Iterator[str]:
        """Yield the key of every stored blob, in ascending order, from the first that is greater than `after`."""
