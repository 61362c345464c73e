"""The records of snapshots as items."""

from relay.adapters.dynamodb import keys
from relay.adapters.dynamodb.calls import Calls
from relay.adapters.dynamodb.store import Store, View
from relay.adapters.dynamodb.values import Item
from relay.ports import SnapshotRecord
from relay_protocol.chain import Head

_AFTER_ANY_DIGEST = "~"


def records_of(calls: Calls, vault_id: str) -> list[SnapshotRecord]:
    """Return all records of a vault, also expired ones."""
    begin = keys.SNAPSHOTS
    items = calls.query_all(keys.vault_pk(vault_id), begin, begin + _AFTER_ANY_DIGEST)
    return [record_of(item) for item in items]


def view_with_records(store: Store, calls: Calls, vault_id: str) -> tuple[View, list[SnapshotRecord]] | None:
    """Return a vault and all its records as they were at one instant: the vault's version is the same after."""
    view = store.view(calls, vault_id)
    while view is not None:
        records = records_of(calls, vault_id)
        again = store.view(calls, vault_id)
        if again is not None and again.vault == view.vault:
            return view, records
        view = again
    return None


def record_of(item: Item) -> SnapshotRecord:
    """Return the record that an item is."""
    return SnapshotRecord(
        sha256=item["sha256"],
        size_bytes=item["size_bytes"],
        key_id=item["key_id"],
        schema_version=item["schema_version"],
        covers=Head(item["covers_seq"], item["covers_chain"]),
        origin_device=item["origin_device"],
        created_at_ms=item["created_at_ms"],
        expires_at_ms=item["expires_at_ms"],
        blob_key=item["blob_key"],
        available=item["available"],
    )


def item_of(vault_id: str, record: SnapshotRecord) -> Item:
    """Return the item of a record."""
    return {
        **keys.snapshot(vault_id, record.sha256),
        "sha256": record.sha256,
        "size_bytes": record.size_bytes,
        "key_id": record.key_id,
        "schema_version": record.schema_version,
        "covers_seq": record.covers.seq,
        "covers_chain": record.covers.chain,
        "origin_device": record.origin_device,
        "created_at_ms": record.created_at_ms,
        "expires_at_ms": record.expires_at_ms,
        "blob_key": record.blob_key,
        "available": record.available,
    }
