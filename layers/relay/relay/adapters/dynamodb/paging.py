"""Paging: a run of the log, the vault and its end read at once."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from relay.adapters.dynamodb import keys
from relay.adapters.dynamodb.calls import Calls, between
from relay.adapters.dynamodb.entries import Entry, Tail, entries_in, last_up_to, tail_of
from relay.adapters.dynamodb.store import Store
from relay.adapters.dynamodb.vault_item import Vault, vault_of
from relay.ports import Page, Record
from relay_protocol.chain import Head
from relay_protocol.sealed import Sealed


class Paging:
    """`Log.page`; see `relay.ports` for what it guarantees."""

    _store: Store

    def page(self, vault_id: str, since: int, limit: int, max_bytes: int) -> Page | None:
        """See `Log.page`."""
        calls = self._store.begin()
        while True:
            run = _Run(calls, vault_id, since, limit)
            vault, tail = run.vault, run.tail
            if vault is None or tail is None:
                return None
            if not vault.floor.seq <= since < tail.head.seq:
                return Page(vault.epoch, tail.head, vault.floor, [])
            places, head = run.places(max_bytes)
            loads = [partial(self._with_text, vault_id, found, seq) for found, seq in places]
            waits = any("o" in found.item["r"][seq - found.slot] for found, seq in places)
            records = calls.together(*loads) if waits else [load() for load in loads]
            there = [record for record in records if record is not None]
            if there and len(there) == len(places):
                return Page(vault.epoch, head, vault.floor, there)
            calls.pause()  # some were pruned meanwhile, or stored between the reads

    def _with_text(self, vault_id: str, found: Entry, seq: int) -> Record | None:
        """Return a changeset with its text; None if that was pruned."""
        fields = found.item["r"][seq - found.slot]
        if "x" in fields:
            return Record(seq, fields["c"], fields["a"], Sealed(fields["x"]), fields["z"])
        if "o" not in fields:
            return None
        try:
            text = self._store.texts.get_text(found.text_key(vault_id, seq))
        except LookupError:
            return None
        return Record(seq, fields["c"], fields["a"], text, fields["z"])


class _Run:
    """The entries after a seq, as one set of parallel reads found them, and more as they are asked for."""

    def __init__(self, calls: Calls, vault_id: str, since: int, limit: int) -> None:
        self._calls, self._since, self._limit = calls, since, limit
        self._pk = keys.vault_pk(vault_id)
        read: list[Any] = calls.together(
            partial(calls.get, keys.vault(vault_id)),
            partial(calls.query, **last_up_to(vault_id)),
            partial(calls.query, **last_up_to(vault_id, since + 1)),
            *([self._later()] if limit > 1 else []),
        )
        item, end, before, *later = read
        self.vault: Vault | None = vault_of(vault_id, item)
        self.tail: Tail | None = tail_of(end["Items"][0]) if end["Items"] else None
        self._answer = later[0] if later else {"Items": []}
        self._entries = [*entries_in(before["Items"]), *entries_in(self._answer["Items"])]

    def places(self, max_bytes: int) -> tuple[Sequence[tuple[Entry, int]], Head]:
        """Return entry and seq of each changeset of the page, and the head at that instant.

        Of the end and the entries, which were read at once, either may be the older: that is the page's view.
        """
        assert self.tail is not None
        places: list[tuple[Entry, int]] = []
        last, total_bytes = min(self._since + self._limit, self.tail.head.seq), 0
        for seq in range(self._since + 1, last + 1):
            found = self._entry(seq)
            if found is None:
                return places, places[-1][0].head_at(seq - 1) if places else self.tail.head
            total_bytes += found.item["r"][seq - found.slot]["z"]
            if places and total_bytes > max_bytes:
                break
            places.append((found, seq))
        return places, self.tail.head

    def _entry(self, seq: int) -> Entry | None:
        while self._entries and self._entries[0].last_seq < seq:
            del self._entries[0]
            if not self._entries and "LastEvaluatedKey" in self._answer:
                self._answer = self._later(self._answer["LastEvaluatedKey"])()
                self._entries += entries_in(self._answer["Items"])
        return self._entries[0] if self._entries and self._entries[0].slot <= seq else None

    def _later(self, start: Any = None) -> Callable[[], Any]:  # noqa: ANN401 -- the API's own form of a key
        """Return the Query for the entries that begin after the page does."""
        parameters = between(self._pk, keys.slot_sk(self._since + 2), keys.slot_sk(self._since + self._limit))
        if start is not None:
            parameters["ExclusiveStartKey"] = start
        return partial(self._calls.query, **parameters)
