"""What DynamoDB and S3 hold (docs/adr/0012)."""

import json
from collections.abc import Iterator
from typing import Any

from relay.adapters.dynamodb.entries import entries_in
from relay.adapters.dynamodb.values import from_item
from sync_relay_client import Envelope
from tools.stand_ins.stores import Stores


class Tables:
    """The tables and the bucket of a relay."""

    name = "tables and bucket"

    def __init__(self, stores: Stores) -> None:
        self._stores = stores

    def row(self, seq: int) -> dict[str, Any]:
        """Return what the entry holds of a changeset."""
        record = self._records()[seq]
        names = {"i": "id", "d": "digest", "c": "chain", "a": "received_at_ms", "z": "bytes", "x": "text"}
        return {"seq": seq, **{names[name]: value for name, value in record.items()}}

    def envelopes(self, after_seq: int) -> list[Envelope]:
        """Return the changesets after a seq."""
        return [Envelope(**json.loads(record["x"])) for seq, record in self._records().items() if seq > after_seq]

    def sealed_bytes(self) -> int:
        """Return how many bytes the texts of all changesets take."""
        return sum(len(record.get("x", b"")) for record in self._records().values()) + sum(self._sizes("texts/"))

    def blob_sizes(self) -> set[int]:
        """Return the sizes of the snapshots' objects."""
        return set(self._sizes("blobs/"))

    def contents(self) -> Iterator[bytes]:
        """Yield every attribute's value, and every object with its key."""
        for item in self._stores.items():
            yield from _flat(from_item(item))
        for found in self._stores.bucket.listed(""):
            yield found["Key"].encode()
            yield self._stores.bucket.client.get_object(Bucket=self._stores.bucket.name, Key=found["Key"])[
                "Body"
            ].read()

    def _records(self) -> dict[int, dict[str, Any]]:
        """Return what is held of each changeset, by seq."""
        items = sorted(map(from_item, self._stores.items()), key=lambda item: str(item["sk"]))
        return {
            seq: record for entry in entries_in(items) for seq, record in enumerate(entry.item["r"], start=entry.slot)
        }

    def _sizes(self, prefix: str) -> Iterator[int]:
        return (int(found["Size"]) for found in self._stores.bucket.listed(prefix))


def _flat(value: Any) -> Iterator[bytes]:  # noqa: ANN401 -- any attribute value
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name.encode()
            yield from _flat(inner)
    elif isinstance(value, list | frozenset):
        for inner in value:
            yield from _flat(inner)
    else:
        yield value if isinstance(value, bytes) else str(value).encode()
