"""Texts that are too large for an item, and lie outside the table: what the log needs of their store."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from relay.ports import NewRecord
from relay_protocol.sealed import Sealed

INLINE_BYTES = 256 * 2**10
"""What the texts of one entry may sum up to in the item itself; an item holds 400 KB in all."""


class Texts(Protocol):
    """Sealed texts by key, `<vault_id>/<name>`. Raises StoreUnavailable as a port does."""

    def put_text(self, key: str, text: Sealed[bytes]) -> None:
        """Store a text durably."""

    def get_text(self, key: str) -> Sealed[bytes]:
        """Return a text. Raises LookupError if it is not there."""

    def delete_text(self, key: str) -> None:
        """Remove a text. Removing one that is not there is fine."""

    def text_keys(self, prefix: str, after: str = "") -> Iterator[tuple[str, int]]:
        """Yield the keys that begin so, in ascending order, and when each was stored, in Unix milliseconds.

        What comes after the prefix is greater than `after`.
        """


def outside(records: Sequence[NewRecord]) -> frozenset[int]:
    """Return the places of the records whose texts go outside: the largest, until the others fit into the item."""
    by_size = sorted(range(len(records)), key=lambda place: records[place].size_bytes, reverse=True)
    inside_bytes = sum(record.size_bytes for record in records)
    going: set[int] = set()
    for place in by_size:
        if inside_bytes <= INLINE_BYTES:
            break
        going.add(place)
        inside_bytes -= records[place].size_bytes
    return frozenset(going)
