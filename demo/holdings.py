"""What the relay's stores hold, as someone sees it who has got hold of them: on a disk, or on stand-ins for AWS."""

from collections.abc import Iterator
from typing import Any, Protocol

from sync_relay_client import Envelope

_BEGINNING_BYTES = 8


class Holdings(Protocol):
    """Everything that one relay with one vault keeps."""

    name: str
    """What to call it."""

    def row(self, seq: int) -> dict[str, Any]:
        """Return all that is held of one changeset; `text` is its JSON."""

    def envelopes(self, after_seq: int) -> list[Envelope]:
        """Return the changesets after a seq, sealed as they lie there."""

    def sealed_bytes(self) -> int:
        """Return how many bytes the texts of all changesets take."""

    def blob_sizes(self) -> set[int]:
        """Return the sizes of the snapshots' blobs, in bytes."""

    def contents(self) -> Iterator[bytes]:
        """Yield all that is there."""


def found_in(holdings: Holdings, words: set[bytes]) -> set[bytes]:
    """Return which of these words stand anywhere in what the relay keeps.

    Many begin alike, so each beginning is looked for once, and the words whose beginning is there.
    """
    contents = list(holdings.contents())
    beginnings = {word[:_BEGINNING_BYTES] for word in words}
    there = {beginning for beginning in beginnings if any(beginning in content for content in contents)}
    candidates = (word for word in words if word[:_BEGINNING_BYTES] in there)
    return {word for word in candidates if any(word in content for content in contents)}
