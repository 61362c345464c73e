"""Pruning: raise the floor first, then strip the texts below it, so that no reader finds less than it was told."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice, takewhile

from relay.adapters.dynamodb import keys
from relay.adapters.dynamodb.calls import Calls, between
from relay.adapters.dynamodb.entries import Entry, entries_in, last_up_to
from relay.adapters.dynamodb.failures import Refused
from relay.adapters.dynamodb.store import MAINTENANCE_SECONDS, Store
from relay.adapters.dynamodb.vault_item import Vault, vault_of
from relay.ports import PruneStep
from relay_protocol.chain import Head

ENTRIES_AT_A_TIME = 100
STRIPPED_AT_A_TIME = 16
REMOVALS_AT_A_TIME = 100
"""An update's expression is bounded: by 4 KB, and by 300 operands."""


@dataclass(frozen=True, slots=True)
class _Found:
    """Up to where the oldest texts may go."""

    floor: Head
    floor_bytes: int
    more: bool


class Pruning:
    """`Log.prune`; see `relay.ports` for what it guarantees."""

    _store: Store

    def prune(self, vault_id: str, received_before_ms: int, max_rows: int) -> PruneStep | None:
        """See `Log.prune`. What a step that was cut short left to strip, the next one strips, and no more."""
        assert max_rows > 0
        calls = self._store.begin(MAINTENANCE_SECONDS)
        while True:
            vault = vault_of(vault_id, calls.get(keys.vault(vault_id)))
            if vault is None:
                return None
            if vault.stripped_seq < vault.floor.seq:
                found = _Found(vault.floor, vault.floor_bytes, more=True)
            else:
                found = _find(calls, vault, received_before_ms, max_rows)
            raised = replace(vault, floor=found.floor, floor_bytes=found.floor_bytes)
            try:
                if raised != vault:
                    _put(calls, raised)
                    raised = replace(raised, version=raised.version + 1)
                if raised.stripped_seq < raised.floor.seq:
                    self._strip(calls, raised)
                    _put(calls, replace(raised, stripped_seq=raised.floor.seq))
            except Refused:
                calls.pause()  # the vault changed meanwhile
            else:
                return PruneStep(found.floor, found.more)

    def _strip(self, calls: Calls, vault: Vault) -> None:
        """Remove the texts up to the floor from the entries, and from outside, several entries at once."""
        below = takewhile(
            lambda entry: entry.slot <= vault.floor.seq, _entries(calls, vault.vault_id, vault.stripped_seq)
        )
        while entries := list(islice(below, STRIPPED_AT_A_TIME)):
            calls.together(*(partial(self._strip_entry, calls, vault, entry) for entry in entries))

    def _strip_entry(self, calls: Calls, vault: Vault, entry: Entry) -> None:
        last = min(entry.last_seq, vault.floor.seq)
        places = [place for place in range(last - entry.slot + 1) if {"x", "o"} & entry.item["r"][place].keys()]
        for place in places:
            if "o" in entry.item["r"][place]:
                self._store.texts.delete_text(entry.text_key(vault.vault_id, entry.slot + place))
        for start in range(0, len(places), REMOVALS_AT_A_TIME):
            part = places[start : start + REMOVALS_AT_A_TIME]
            expression = "REMOVE " + ", ".join(f"r[{place}].x, r[{place}].o" for place in part)
            key = keys.entry(vault.vault_id, entry.slot)
            calls.update(key, expression, "tk = :token", token=entry.item["tk"])


def _put(calls: Calls, vault: Vault) -> None:
    item, condition, values = vault.put()
    try:
        calls.put(item, condition, **values)
    except Refused as refusal:
        if refusal.item != item:
            raise  # else it is this very version: the answer that it was stored got lost


def _find(calls: Calls, vault: Vault, received_before_ms: int, max_rows: int) -> _Found:
    floor, floor_bytes, taken = vault.floor, vault.floor_bytes, 0
    for entry in _entries(calls, vault.vault_id, floor.seq) if floor.seq < vault.covered_seq else ():
        for seq in range(max(entry.slot, floor.seq + 1), min(entry.last_seq, vault.covered_seq) + 1):
            if entry.item["r"][seq - entry.slot]["a"] >= received_before_ms:
                return _Found(floor, floor_bytes, more=False)
            if taken == max_rows:
                return _Found(floor, floor_bytes, more=True)
            floor, floor_bytes, taken = entry.head_at(seq), entry.total_bytes_at(seq), taken + 1
        if floor.seq >= vault.covered_seq:
            break
    return _Found(floor, floor_bytes, more=False)


def _entries(calls: Calls, vault_id: str, since: int) -> Iterator[Entry]:
    """Yield the entries from the one that holds the changeset after `since`."""
    yield from entries_in(calls.query(**last_up_to(vault_id, since + 1))["Items"])
    parameters = between(keys.vault_pk(vault_id), keys.slot_sk(since + 2), keys.LAST_ENTRY)
    while True:
        answer = calls.query(**parameters, Limit=ENTRIES_AT_A_TIME)
        yield from entries_in(answer["Items"])
        if "LastEvaluatedKey" not in answer:
            return
        parameters["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
