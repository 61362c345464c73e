"""Changesets, as a log tells of them and is told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from relay.ports.members import Standing
from relay_protocol.chain import Head
from relay_protocol.sealed import Sealed

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is kept of a changeset for ever, also once it was pruned."""

    id: str
    digest: bytes
    seq: int
    chain: bytes
    received_at_ms: int


@dataclass(frozen=True, slots=True)
class NewRecord:
    """A changeset to store: its receipt, its sealed JSON text, and the text's length."""

    receipt: Receipt
    text: Sealed[bytes]
    size_bytes: int


class Record(NamedTuple):
    """A stored changeset, as a pull carries it. A tuple, since a page makes a thousand of them."""

    seq: int
    chain: bytes
    received_at_ms: int
    text: Sealed[bytes]
    size_bytes: int


@dataclass(frozen=True, slots=True)
class LogState:
    """What an append depends on."""

    epoch: str
    head: Head
    stored_bytes: int
    """The unpruned changesets' texts and the snapshots that are there."""
    covered_seq: int
    """The highest seq that an available snapshot covers, or 0."""
    standing: Standing
    """The pusher's, at this very step."""
    known: Mapping[str, Receipt]
    """The receipts of those of the asked ids that are in the log, pruned ones too."""


@dataclass(frozen=True, slots=True)
class AppendPlan(Generic[R]):
    """Store `records`, whose seqs and chains follow the state's head. `outcome` is the core's own."""

    outcome: R
    records: Sequence[NewRecord] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """A contiguous run of the log from one consistent view; empty if `since` is before the floor or past the head."""

    epoch: str
    head: Head
    floor: Head
    records: Sequence[Record]


@dataclass(frozen=True, slots=True)
class PruneStep:
    """One step of pruning: the floor after it, and whether there is more to prune."""

    floor: Head
    more: bool
