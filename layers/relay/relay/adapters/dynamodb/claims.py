"""Claims: where a changeset's id may be in the log, so that it is stored once.

A claim is only ever raised, and only by who has seen that the entry it named does not hold the id. So at the moment
that an entry is stored, the claims of its ids name it, and no one ever changes them again.
"""

from collections.abc import Mapping, Sequence

from relay.adapters.dynamodb import keys
from relay.adapters.dynamodb.calls import Calls
from relay.adapters.dynamodb.entries import EMPTY, Entry, entries_in
from relay.adapters.dynamodb.failures import Refused
from relay.adapters.dynamodb.store import View
from relay.ports import Receipt


def claims_in(view: View, ids: Sequence[str]) -> dict[str, int]:
    """Return the slot of the entry where each id may be."""
    found = {changeset_id: view.item(keys.claim(view.vault.vault_id, changeset_id)) for changeset_id in ids}
    return {changeset_id: item["slot"] for changeset_id, item in found.items() if item is not None}


def known_receipts(calls: Calls, view: View, claims: Mapping[str, int]) -> dict[str, Receipt]:
    """Return the receipts of those that are there. A claim may stand for an entry that was never stored."""
    slots = sorted({slot for slot in claims.values() if slot < view.tail.slot})
    if not slots:
        return {}
    vault_id = view.vault.vault_id
    items = calls.get_many([keys.entry(vault_id, slot) for slot in slots])
    entries: dict[int, Entry] = {found.slot: found for found in entries_in(list(items.values()))}
    receipts = {
        changeset_id: entries[slot].receipt(changeset_id) for changeset_id, slot in claims.items() if slot in entries
    }
    return {changeset_id: receipt for changeset_id, receipt in receipts.items() if receipt is not None}


def put_claim(calls: Calls, vault_id: str, slot: int, claims: Mapping[str, int] | None, changeset_id: str) -> bool:
    """Write down that the id is meant for the entry at this slot; return whether that is so now."""
    current = (claims or {}).get(changeset_id)
    if current == slot:
        return True
    if current is not None and current > slot:
        return False
    condition, values = (EMPTY, {}) if current is None else ("slot = :current", {"current": current})
    try:
        calls.put({**keys.claim(vault_id, changeset_id), "slot": slot}, condition, **values)
    except Refused as refusal:
        return refusal.item is not None and refusal.item["slot"] == slot
    return True
