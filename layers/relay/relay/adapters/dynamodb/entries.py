"""An entry of the log: the changesets of one push in one item, so that one conditional write stores all or none.

The slot after the last entry is where every writer must write next. It is empty, or holds a marker, which carries what
the last entry would tell of the log's end. Whoever puts the next entry names what it saw there in its condition, so a
marker put there stops all who planned before it (a *fence*).
"""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from relay.adapters.dynamodb.keys import ENTRIES, LAST_ENTRY, entry, slot_sk, vault_pk
from relay.adapters.dynamodb.values import Item
from relay.ports import Receipt
from relay_protocol.chain import Head

TOKEN_BYTES = 12
EMPTY = "attribute_not_exists(pk)"
"""The condition of a put where nothing may be."""


def new_token() -> bytes:
    """Return a token that no other write has."""
    return secrets.token_bytes(TOKEN_BYTES)


@dataclass(frozen=True, slots=True)
class Tail:
    """The end of a log: its head, and the slot that the next entry goes to.

    `token` is that of the marker in the slot, None if it is empty. `total_bytes` counts the texts since seq 1, pruned
    ones too. `fence` is the token of the last fence.
    """

    head: Head
    token: bytes | None
    total_bytes: int
    fence: bytes

    @property
    def slot(self) -> int:
        """The seq of the next changeset."""
        return self.head.seq + 1

    def condition(self) -> tuple[str, dict[str, Any]]:
        """Return the condition, and its values, that this is still the end."""
        return (EMPTY, {}) if self.token is None else ("tk = :token", {"token": self.token})


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as it is stored; `item` is what the table holds."""

    slot: int
    item: Item

    @property
    def count(self) -> int:
        """How many changesets it holds."""
        return len(self.item["r"])

    @property
    def last_seq(self) -> int:
        """The seq of its last changeset."""
        return self.slot + self.count - 1

    def head_at(self, seq: int) -> Head:
        """Return seq and chain of one of its changesets."""
        return Head(seq, self.item["r"][seq - self.slot]["c"])

    def total_bytes_at(self, seq: int) -> int:
        """Return the size of all texts from seq 1 to this one."""
        after: int = sum(fields["z"] for fields in self.item["r"][seq - self.slot + 1 :])
        total: int = self.item["n"]
        return total - after

    def receipt(self, changeset_id: str) -> Receipt | None:
        """Return the receipt of a changeset, if it is in this entry."""
        wanted = id_bytes(changeset_id)
        for seq, fields in enumerate(self.item["r"], self.slot):
            if fields["i"] == wanted:
                return Receipt(changeset_id, fields["d"], seq, fields["c"], fields["a"])
        return None

    def text_key(self, vault_id: str, seq: int) -> str:
        """Return the key of a text that is kept outside."""
        return text_key(vault_id, self.slot, self.item["tk"], seq - self.slot)


def id_bytes(changeset_id: str) -> bytes:
    """Return a UUID's sixteen bytes."""
    return bytes.fromhex(changeset_id.replace("-", ""))


def text_key(vault_id: str, slot: int, token: bytes, index: int) -> str:
    """Return the key that a text of an entry is kept by outside the table."""
    return f"{vault_id}/{slot:016x}-{token.hex()}-{index}"


def marker(vault_id: str, tail: Tail, token: bytes, fence: bytes) -> Item:
    """Return a marker for the slot at the end."""
    head = tail.head
    return {**entry(vault_id, tail.slot), "tk": token, "f": fence, "c": head.chain, "n": tail.total_bytes}


def entry_of(item: Item) -> Entry | None:
    """Return the entry that an item is; None for a marker."""
    return Entry(_slot(item), item) if "r" in item else None


def entries_in(items: Sequence[Item]) -> Iterator[Entry]:
    """Yield the entries among items."""
    return (found for item in items if (found := entry_of(item)) is not None)


def tail_of(item: Item) -> Tail:
    """Return the end of the log by its last item."""
    found = entry_of(item)
    if found is None:
        return Tail(Head(_slot(item) - 1, item["c"]), item["tk"], item["n"], item["f"])
    return Tail(found.head_at(found.last_seq), None, item["n"], item["f"])


def last_up_to(vault_id: str, slot: int | None = None) -> dict[str, Any]:
    """Return the parameters of a Query for the last entry or marker, at most at this slot."""
    end = LAST_ENTRY if slot is None else slot_sk(slot)
    return {
        "KeyConditionExpression": "pk = :pk AND sk BETWEEN :begin AND :end",
        "ExpressionAttributeValues": {
            ":pk": {"S": vault_pk(vault_id)},
            ":begin": {"S": ENTRIES},
            ":end": {"S": end},
        },
        "ScanIndexForward": False,
        "Limit": 1,
    }


def _slot(item: Item) -> int:
    return int(item["sk"].removeprefix(ENTRIES), 16)
