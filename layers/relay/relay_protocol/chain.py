"""The chain that links a vault's log, and places in it (§3)."""

from dataclasses import dataclass
from hashlib import sha256

from relay_protocol.encoding import base64url, pae


@dataclass(frozen=True, slots=True)
class Head:
    """A place in a vault's log and the chain there: the head, the floor, or what a snapshot covers."""

    seq: int
    chain: bytes

    def as_json(self) -> dict[str, str | int]:
        """Return `{"seq", "chain"}` as the wire has it."""
        return {"seq": self.seq, "chain": base64url(self.chain)}


def genesis(vault_id: str) -> Head:
    """Return the head of an empty log: seq 0 and the genesis chain."""
    return Head(0, sha256(pae("sync-relay/genesis/v1", vault_id)).digest())


def extend(head: Head, digest: bytes) -> Head:
    """Return the head after one more changeset with this digest."""
    return Head(head.seq + 1, sha256(pae("sync-relay/chain/v1", head.chain, digest)).digest())
