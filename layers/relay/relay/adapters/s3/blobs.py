"""Snapshot blobs as objects. Their bytes go between client and S3, by URLs that we sign."""

import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator

from relay.adapters.s3.bucket import Bucket
from relay.ports import BlobStat, Upload

PREFIX = "blobs/"
MAX_TTL_SECONDS = 7 * 24 * 3600
"""No URL of S3 lives longer; one that is signed with a function's credentials ends with them, too."""


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class S3Blobs:
    """`relay.ports.Blobs` in a bucket.

    An upload's signature covers the length and the SHA-256, so S3 refuses all but the announced bytes, and stores
    them whole.
    """

    def __init__(self, bucket: Bucket, now_ms: Callable[[], int] = _now_ms) -> None:
        self._bucket = bucket
        self._now_ms = now_ms

    def presign_upload(self, blob_key: str, size_bytes: int, sha256: bytes, expires_at_ms: int, origin: str) -> Upload:
        """See `Blobs.presign_upload`. The store has an origin of its own."""
        del origin
        checksum = b64encode(sha256).decode()
        url = self._url("put_object", blob_key, expires_at_ms, ContentLength=size_bytes, ChecksumSHA256=checksum)
        return Upload(url, {"Content-Length": str(size_bytes), "x-amz-checksum-sha256": checksum})

    def presign_download(self, blob_key: str, expires_at_ms: int, origin: str) -> str:
        """See `Blobs.presign_download`."""
        del origin
        return self._url("get_object", blob_key, expires_at_ms)

    def stat(self, blob_key: str) -> BlobStat | None:
        """See `Blobs.stat`."""
        answer = self._bucket.call("head_object", Key=PREFIX + blob_key, ChecksumMode="ENABLED")
        if answer is None:
            return None
        return BlobStat(answer["ContentLength"], b64decode(answer.get("ChecksumSHA256", "")))

    def delete(self, blob_key: str) -> None:
        """See `Blobs.delete`."""
        self._bucket.call("delete_object", Key=PREFIX + blob_key)

    def keys(self, after: str = "") -> Iterator[str]:
        """See `Blobs.keys`."""
        for found in self._bucket.listed(PREFIX, after):
            yield found["Key"].removeprefix(PREFIX)

    def _url(self, operation: str, blob_key: str, expires_at_ms: int, **parameters: int | str) -> str:
        seconds = (expires_at_ms - self._now_ms()) // 1000
        url: str = self._bucket.client.generate_presigned_url(
            operation,
            Params={"Bucket": self._bucket.name, "Key": PREFIX + blob_key, **parameters},
            ExpiresIn=max(0, min(seconds, MAX_TTL_SECONDS)),
        )
        return url
