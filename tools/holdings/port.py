"""What the relay's stores hold, as someone sees it who has got hold of them: on a disk, or on stand-ins for AWS."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from sync_relay_client import Envelope

_BEGINNING_BYTES = 8

Restore = Callable[[], None]


class Holdings(Protocol):
    """Everything that one relay keeps. What is told of changesets is right where it has one vault."""

    name: str
    """What to call it."""

    def row(self, seq: int) -> dict[str, Any]:
        """Return all that is held of one changeset; `text` is its JSON."""

    def envelopes(self, after_seq: int) -> list[Envelope]:
        """Return the changesets after a seq, sealed as they lie there."""

    def sealed_bytes(self) -> int:
        """Return how many bytes the texts of all changesets take."""

    def blobs(self) -> dict[str, int]:
        """Return the size in bytes of each blob, by name: its vault's id, a slash, its own id.

        What is left of an upload is there too; its name begins with no vault's id.
        """

    def blob(self, name: str) -> bytes:
        """Return a blob's bytes."""

    def put_blob(self, name: str, content: bytes) -> None:
        """Put other bytes in a blob's place, behind the relay's back."""

    def contents(self) -> Iterator[bytes]:
        """Yield all that is there."""

    def back_up(self) -> Restore:
        """Keep a copy of all; return what puts it back in the place of what is there by then.

        For both the relay has to be stopped.
        """


def found_in(holdings: Holdings, words: set[bytes]) -> set[bytes]:
    """Return which of these words stand anywhere in what the relay keeps.

    Many begin alike, so each beginning is looked for once, and the words whose beginning is there.
    """
    contents = list(holdings.contents())
    beginnings = {word[:_BEGINNING_BYTES] for word in words}
    there = {beginning for beginning in beginnings if any(beginning in content for content in contents)}
    candidates = (word for word in words if word[:_BEGINNING_BYTES] in there)
    return {word for word in candidates if any(word in content for content in contents)}
