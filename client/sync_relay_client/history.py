"""What a device has verified of a vault's log: the chain at each seq that it saw, and the ids (§11 Opening)."""

from dataclasses import dataclass, field
from typing import Protocol

from relay_protocol.chain import Head, extend, genesis
from sync_relay_client.errors import ChainBroken, IdRepeated, SequenceGap


class History(Protocol):
    """The verified log. It grows by whole tails only, so a page that fails leaves no trace."""

    @property
    def vault_id(self) -> str:
        """The vault whose log it is."""

    @property
    def head(self) -> Head:
        """The verified head."""

    def chain_at(self, seq: int) -> bytes | None:
        """Return the chain at a seq, None where this device did not see it (it began at a snapshot)."""

    def has(self, changeset_id: str) -> bool:
        """Whether a changeset of this id was seen."""

    def jump(self, head: Head) -> None:
        """Go on from the head that a verified snapshot covers."""

    def commit(self, tail: "Tail") -> None:
        """Take over what a tail verified."""


@dataclass
class MemoryHistory:
    """A history in memory."""

    vault_id: str
    head: Head = field(init=False)
    _chains: dict[int, bytes] = field(init=False, repr=False)
    _ids: set[str] = field(init=False, repr=False, default_factory=set)

    def __post_init__(self) -> None:
        self.head = genesis(self.vault_id)
        self._chains = {self.head.seq: self.head.chain}

    def chain_at(self, seq: int) -> bytes | None:
        """See `History.chain_at`."""
        return self._chains.get(seq)

    def has(self, changeset_id: str) -> bool:
        """See `History.has`."""
        return changeset_id in self._ids

    def jump(self, head: Head) -> None:
        """See `History.jump`."""
        self.head = head
        self._chains[head.seq] = head.chain

    def commit(self, tail: "Tail") -> None:
        """See `History.commit`."""
        self._chains.update(tail.chains)
        self._ids.update(tail.ids.values())
        self.head = tail.head


class Tail:
    """Changesets after a history's head, verified one by one and not yet part of it."""

    def __init__(self, history: History) -> None:
        self._history = history
        self.head = history.head
        self.chains: dict[int, bytes] = {}
        self._own_ids: set[str] = set()
        self.ids: dict[int, str] = {}
        """By seq."""

    @property
    def vault_id(self) -> str:
        """The vault whose log it is."""
        return self._history.vault_id

    def chain_at(self, seq: int) -> bytes | None:
        """Return the chain at a seq, None where this device did not see it."""
        return self.chains.get(seq) or self._history.chain_at(seq)

    def link(self, seq: int, digest: bytes, chain: bytes) -> None:
        """Recompute the chain over one more changeset. Raises SequenceGap or ChainBroken."""
        head = extend(self.head, digest)
        if seq != head.seq:
            raise SequenceGap("the log does not go on where it was left", seq)
        if chain != head.chain:
            raise ChainBroken("the relay's chain is not that of the changesets", seq)
        self.head = head
        self.chains[seq] = chain

    def add_id(self, changeset_id: str) -> None:
        """Note the id of the changeset just linked. Raises IdRepeated."""
        if changeset_id in self._own_ids or self._history.has(changeset_id):
            raise IdRepeated("the changeset's id was in the log before")
        self._own_ids.add(changeset_id)
        self.ids[self.head.seq] = changeset_id
