"""Appending: claim the ids, put large texts outside, then put the entry, which is the one step that stores all."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TypeVar

from relay.adapters.dynamodb import keys
from relay.adapters.dynamodb.calls import Calls
from relay.adapters.dynamodb.claims import claims_in, known_receipts, put_claim
from relay.adapters.dynamodb.entries import Tail, id_bytes, marker, new_token, text_key
from relay.adapters.dynamodb.failures import Refused
from relay.adapters.dynamodb.store import Store, View
from relay.adapters.dynamodb.texts import outside
from relay.ports import AppendPlan, LogState, NewRecord, Receipt, StoreUnavailable
from relay_protocol.chain import Head
from relay_protocol.sealed import into_store

R = TypeVar("R")

LARGE_ENTRY_BYTES = 4096
"""After an entry of more bytes a marker is put, so that whoever looks for the end need not read the entry."""


class Appending:
    """`Log.append`; see `relay.ports` for what it guarantees."""

    _store: Store

    def append(
        self,
        vault_id: str,
        device_id: str,
        ids: Sequence[str],
        now_ms: int,
        plan: Callable[[LogState], AppendPlan[R]],
    ) -> R | None:
        """See `Log.append`.

        A view that this thread has just read to find the signer does for the first try: what is stored on it is
        stored on the condition that it still holds, and nothing is answered on it alone.
        """
        with self._store.turns(vault_id):
            return self._append(vault_id, device_id, ids, now_ms, plan)

    def _append(
        self,
        vault_id: str,
        device_id: str,
        ids: Sequence[str],
        now_ms: int,
        plan: Callable[[LogState], AppendPlan[R]],
    ) -> R | None:
        calls = self._store.begin()
        view = self._store.noted(vault_id, device_id)
        while True:
            is_fresh = view is None
            claim_keys = [keys.claim(vault_id, changeset_id) for changeset_id in ids]
            if view is None:
                view = self._store.view(calls, vault_id, keys.member(vault_id, device_id), *claim_keys)
            if view is None:
                return None
            claims = claims_in(view, ids) if is_fresh else None
            known = known_receipts(calls, view, claims or {})
            decided = plan(_state(view, device_id, now_ms, known))
            if not decided.records and is_fresh:
                return decided.outcome
            if decided.records:
                assert not known.keys() & {record.receipt.id for record in decided.records}
                if self._append_at(calls, view, claims, decided.records):
                    return decided.outcome
                if is_fresh:
                    calls.pause()
            view = None

    def _append_at(
        self, calls: Calls, view: View, claims: Mapping[str, int] | None, records: Sequence[NewRecord]
    ) -> bool:
        """Store the records at the end that the view saw; return whether that was still the end."""
        vault_id, tail, token = view.vault.vault_id, view.tail, new_token()
        for seq, record in enumerate(records, tail.slot):
            assert record.receipt.seq == seq
        going = outside(records)

        def put_outside(place: int) -> bool:
            self._store.texts.put_text(text_key(vault_id, tail.slot, token, place), records[place].text)
            return True

        claimed = calls.together(
            *(partial(put_claim, calls, vault_id, tail.slot, claims, record.receipt.id) for record in records),
            *(partial(put_outside, place) for place in sorted(going)),
        )
        return all(claimed) and self._put_entry(calls, view, token, records, going)

    def _put_entry(
        self, calls: Calls, view: View, token: bytes, records: Sequence[NewRecord], going: frozenset[int]
    ) -> bool:
        vault_id, tail = view.vault.vault_id, view.tail
        condition, values = tail.condition()
        total_bytes = tail.total_bytes + sum(record.size_bytes for record in records)
        try:
            calls.put(
                {
                    **keys.entry(vault_id, tail.slot),
                    "tk": token,
                    "f": tail.fence,
                    "n": total_bytes,
                    "r": [
                        {
                            "i": id_bytes(record.receipt.id),
                            "d": record.receipt.digest,
                            "c": record.receipt.chain,
                            "a": record.receipt.received_at_ms,
                            "z": record.size_bytes,
                            "o": index in going or None,
                            "x": None if index in going else into_store(record.text),
                        }
                        for index, record in enumerate(records)
                    ],
                },
                condition,
                **values,
            )
        except Refused as refusal:
            if refusal.item is None or refusal.item.get("tk") != token:
                return False  # else it is this very entry: the answer that it was stored got lost
        last = records[-1].receipt
        if total_bytes - tail.total_bytes > LARGE_ENTRY_BYTES:
            _put_marker(calls, vault_id, Tail(Head(last.seq, last.chain), None, total_bytes, tail.fence))
        return True


def _state(view: View, device_id: str, now_ms: int, known: Mapping[str, Receipt]) -> LogState:
    vault, tail = view.vault, view.tail
    return LogState(
        epoch=vault.epoch,
        head=tail.head,
        stored_bytes=vault.stored_bytes(tail, now_ms),
        covered_seq=vault.covered_seq,
        standing=vault.standing(device_id, view.item(keys.member(vault.vault_id, device_id))),
        known=known,
    )


def _put_marker(calls: Calls, vault_id: str, tail: Tail) -> None:
    """Put a marker at the end, if it still is the end. It saves reads and decides nothing, so it may fail."""
    condition, values = tail.condition()
    with suppress(Refused, StoreUnavailable):
        calls.put(marker(vault_id, tail, new_token(), tail.fence), condition, **values)
