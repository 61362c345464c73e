"""What a device has verified of a vault's log: the chain at each seq that it saw, and the ids (§11 Opening)."""

from dataclasses import dataclass, field

from relay_protocol.changeset import Head, extend, genesis
from sync_relay_client.errors import ChainBroken, IdRepeated, SequenceGap


@dataclass
class History:
    """The verified log, in memory. It grows by whole tails only, so a page that fails leaves no trace."""

    vault_id: str
    head: Head = field(init=False)
    _chains: dict[int, bytes] = field(init=False, repr=False)
    _ids: set[str] = field(init=False, repr=False, default_factory=set)

    def __post_init__(self) -> None:
        self.head = genesis(self.vault_id)
        self._chains = {self.head.seq: self.head.chain}

    def chain_at(self, seq: int) -> bytes | None:
        """Return the chain at a seq, None where this device did not see it (it began at a snapshot)."""
        return self._chains.get(seq)

    def has(self, changeset_id: str) -> bool:
        """Whether a changeset of this id was seen."""
        return changeset_id in self._ids

    def jump(self, head: Head) -> None:
        """Go on from the head that a verified snapshot covers."""
        self.head = head
        self._chains[head.seq] = head.chain

    def commit(self, tail: "Tail") -> None:
        """Take over what a tail verified."""
        self._chains.update(tail.chains)
        self._ids.update(tail.ids)
        self.head = tail.head


class Tail:
    """Changesets after a history's head, verified one by one and not yet part of it."""

    def __init__(self, history: History) -> None:
        self._history = history
        self.head = history.head
        self.chains: dict[int, bytes] = {}
        self.ids: set[str] = set()

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
        if changeset_id in self.ids or self._history.has(changeset_id):
            raise IdRepeated("the changeset's id was in the log before")
        self.ids.add(changeset_id)
