"""Sealed texts of changesets that are too large for the log's table."""

from collections.abc import Iterator

from relay.adapters.s3.bucket import Bucket
from relay_protocol.sealed import Sealed, into_store

PREFIX = "texts/"


class S3Texts:
    """Texts by key, as the log in DynamoDB wants them kept."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def put_text(self, key: str, text: Sealed[bytes]) -> None:
        """Store a text durably."""
        self._bucket.call("put_object", Key=PREFIX + key, ChecksumAlgorithm="SHA256", Body=into_store(text))

    def get_text(self, key: str) -> Sealed[bytes]:
        """Return a text. Raises LookupError if it is not there."""
        answer = self._bucket.content(PREFIX + key)
        if answer is None:
            raise LookupError
        return Sealed(answer["Body"])

    def delete_text(self, key: str) -> None:
        """Remove a text. Removing one that is not there is fine."""
        self._bucket.call("delete_object", Key=PREFIX + key)

    def text_keys(self, prefix: str, after: str = "") -> Iterator[tuple[str, int]]:
        """Yield the keys that begin so, in ascending order, and when each was stored, in Unix milliseconds.

        What comes after the prefix is greater than `after`.
        """
        for found in self._bucket.listed(PREFIX + prefix, after):
            stored_at_ms = int(found["LastModified"].timestamp() * 1000)
            yield found["Key"].removeprefix(PREFIX), stored_at_ms
