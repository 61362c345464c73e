"""What DynamoDB and S3 hold (docs/adr/0012)."""

import json
from collections.abc import Iterator
from typing import Any

from relay.adapters.dynamodb.entries import entries_in
from relay.adapters.dynamodb.values import from_item
from sync_relay_client import Envelope
from tools.holdings.port import Restore
from tools.stand_ins.stores import Stores

BLOBS, TEXTS = "blobs/", "texts/"
"""What keys of objects begin with."""


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
        return sum(len(record.get("x", b"")) for record in self._records().values()) + sum(
            int(one["Size"]) for one in self._stores.bucket.listed(TEXTS)
        )

    def blobs(self) -> dict[str, int]:
        """Return the sizes of the snapshots' objects."""
        found = self._stores.bucket.listed(BLOBS)
        return {str(one["Key"]).removeprefix(BLOBS): int(one["Size"]) for one in found}

    def blob(self, name: str) -> bytes:
        """Return an object's bytes."""
        return self._stores.objects(BLOBS + name)[BLOBS + name]

    def put_blob(self, name: str, content: bytes) -> None:
        """Put an object."""
        self._stores.put_object(BLOBS + name, content)

    def contents(self) -> Iterator[bytes]:
        """Yield every attribute's value, and every object with its key."""
        for item in self._stores.items():
            yield from _flat(from_item(item))
        for key, content in self._stores.objects().items():
            yield key.encode()
            yield content

    def back_up(self) -> Restore:
        """Keep the items and the objects."""
        items, objects = self._stores.items(), self._stores.objects()

        def restore() -> None:
            self._stores.empty()
            for item in items:
                self._stores.put_item(item)
            for key, content in objects.items():
                self._stores.put_object(key, content)

        return restore

    def _records(self) -> dict[int, dict[str, Any]]:
        """Return what is held of each changeset, by seq."""
        items = sorted(map(from_item, self._stores.items()), key=lambda item: str(item["sk"]))
        return {
            seq: record for entry in entries_in(items) for seq, record in enumerate(entry.item["r"], start=entry.slot)
        }


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
