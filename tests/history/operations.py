"""What clients did to one vault's log, and what they were told: a history, to be checked afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf


@dataclass(frozen=True, slots=True)
class Place:
    """A seq and the chain there, as an answer told it."""

    seq: int
    chain: str


@dataclass(frozen=True, slots=True)
class Logged:
    """A changeset in the log, as a pull told it."""

    seq: int
    id: str
    chain: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a push told of one of its changesets."""

    at: Logged
    created: bool


@dataclass(frozen=True, slots=True)
class Receipts:
    """The answer to a push that succeeded, in the request's order."""

    head: Place
    receipts: tuple[Receipt, ...]


@dataclass(frozen=True, slots=True)
class HeadMoved:
    """The answer to a push whose `If-Match` was not the head's chain."""

    head: Place


@dataclass(frozen=True, slots=True)
class Page:
    """The answer to a pull."""

    changesets: tuple[Logged, ...]
    head: Place


@dataclass(frozen=True, slots=True)
class Push:
    """All of these, or none. A client repeats a push as it was: same ids, same `If-Match`."""

    ids: tuple[str, ...]
    if_match: str | None = None


@dataclass(frozen=True, slots=True)
class Pull:
    """At most `limit` changesets after `since`."""

    since: int
    limit: int


@dataclass(frozen=True, slots=True)
class Operation:
    """A request and its answer, between two moments of one clock.

    Without an answer nothing is known: it may have been done at any time since it was sent, or may never be.
    """

    client: int
    invoked: float
    request: Push | Pull
    answer: Receipts | HeadMoved | Page | None = None
    returned: float = inf

    def __str__(self) -> str:
        what = f"push {len(self.request.ids)}" if isinstance(self.request, Push) else f"pull {self.request.since}"
        return f"client {self.client}'s {what} at {self.invoked}"


@dataclass(frozen=True, slots=True)
class History:
    """All operations on one vault, and its log, read after the last of them."""

    operations: Sequence[Operation]
    log: Sequence[Logged]
    genesis: str

    def chain_at(self, seq: int) -> str | None:
        """Return the chain after so many changesets; None past the head."""
        if not 0 <= seq <= len(self.log):
            return None
        return self.log[seq - 1].chain if seq else self.genesis
