"""The records of snapshots."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from relay.adapters.dynamodb import keys
from relay.adapters.dynamodb.calls import Calls
from relay.adapters.dynamodb.entries import entry_of, last_up_to
from relay.adapters.dynamodb.failures import Refused
from relay.adapters.dynamodb.snapshot_items import item_of, record_of, records_of, view_with_records
from relay.adapters.dynamodb.store import Store, View, fence, replace_vault
from relay.adapters.dynamodb.values import Item
from relay.adapters.dynamodb.vault_item import Vault, vault_of
from relay.ports import AnnouncePlan, AnnounceState, SnapshotRecord
from relay_protocol.chain import genesis
from relay_protocol.encoding import base64url

R = TypeVar("R")

DELETIONS_AT_A_TIME = 90
"""A transaction takes 100 writes."""


class Snapshots:
    """The part of `relay.ports.Log` that is about snapshots; see there for what each method guarantees."""

    _store: Store

    def announce(
        self,
        vault_id: str,
        sha256: bytes,
        covers_seq: int,
        now_ms: int,
        plan: Callable[[AnnounceState], AnnouncePlan[R]],
    ) -> R | None:
        """See `Log.announce`."""
        calls = self._store.begin()
        key = keys.snapshot(vault_id, sha256)
        while True:
            view = self._store.view(calls, vault_id, key)
            if view is None:
                return None
            found = view.item(key)
            if _is_of_another_instant(view.vault, sha256, found):
                calls.pause()
                continue
            existing = record_of(found) if found else None
            decided = plan(
                AnnounceState(
                    epoch=view.vault.epoch,
                    head=view.tail.head,
                    existing=existing if existing and existing.is_there(now_ms) else None,
                    chain_at_covers=_chain_at(calls, view, covers_seq),
                    pending=view.vault.pending_count(now_ms),
                    stored_bytes=view.vault.stored_bytes(view.tail, now_ms),
                )
            )
            if decided.add is None or _announce(calls, view, decided.add):
                return decided.outcome
            calls.pause()

    def snapshot(self, vault_id: str, sha256: bytes, now_ms: int) -> tuple[str, SnapshotRecord | None] | None:
        """See `Log.snapshot`."""
        key = keys.snapshot(vault_id, sha256)
        items = self._store.begin().get_many([keys.vault(vault_id), key])
        vault = vault_of(vault_id, items.get((key["pk"], keys.VAULT)))
        if vault is None:
            return None
        item = items.get((key["pk"], key["sk"]))
        record = record_of(item) if item else None
        return vault.epoch, record if record and record.is_there(now_ms) else None

    def complete(self, vault_id: str, blob_key: str, now_ms: int) -> SnapshotRecord | None:
        """See `Log.complete`."""
        calls = self._store.begin()
        while True:
            view = self._store.view(calls, vault_id)
            records = records_of(calls, vault_id) if view else []
            there = [record for record in records if record.blob_key == blob_key and record.is_there(now_ms)]
            if view is None or not there:
                return None
            if there[0].available:
                return there[0]
            completed = replace(there[0], available=True)
            vault = view.vault.with_available(completed)
            try:
                calls.transact(
                    *fence(calls, view.tail, vault),
                    calls.put_with(item_of(vault_id, completed), "blob_key = :blob_key", blob_key=blob_key),
                )
            except Refused:
                calls.pause()
            else:
                return completed

    def drop_snapshots(self, vault_id: str, blob_keys: Sequence[str], now_ms: int) -> None:
        """See `Log.drop_snapshots`. Many are dropped in several transactions, each of which is whole."""
        calls = self._store.begin()
        while True:
            found = view_with_records(self._store, calls, vault_id)
            if found is None:
                return
            view, records = found
            named = [record for record in records if record.blob_key in blob_keys or not record.is_there(now_ms)]
            going, staying = named[:DELETIONS_AT_A_TIME], [record for record in records if record not in named]
            if not going:
                return
            staying += named[DELETIONS_AT_A_TIME:]
            try:
                calls.transact(
                    replace_vault(calls, view.vault.with_only(staying)),
                    *(calls.delete_with(keys.snapshot(vault_id, record.sha256)) for record in going),
                )
            except Refused:
                calls.pause()


def _announce(calls: Calls, view: View, record: SnapshotRecord) -> bool:
    """Store the record if nothing changed since; return whether it was. An append counts its size from now on."""
    item = item_of(view.vault.vault_id, record)
    writes = fence(calls, view.tail, view.vault.with_pending(record))
    try:
        calls.transact(*writes, calls.put_with(item, "attribute_not_exists(pk) OR available = :no", no=False))
    except Refused:
        return False
    return True


def _is_of_another_instant(vault: Vault, sha256: bytes, item: Item | None) -> bool:
    """Whether a record that was read beside the vault is not the one that the vault knew."""
    return (base64url(sha256) in vault.pending) != (item is not None and not item["available"])


def _chain_at(calls: Calls, view: View, seq: int) -> bytes | None:
    if seq == 0:
        return genesis(view.vault.vault_id).chain
    if seq > view.tail.head.seq:
        return None
    (item,) = calls.query(**last_up_to(view.vault.vault_id, seq))["Items"]
    entry = entry_of(item)
    assert entry is not None
    return entry.head_at(seq).chain
