"""Sweeping: what erasures left, and texts outside the table that no entry names."""

from collections.abc import Sequence
from functools import partial

from relay.adapters.dynamodb import keys
from relay.adapters.dynamodb.calls import Calls
from relay.adapters.dynamodb.entries import entry_of
from relay.adapters.dynamodb.keys import Key
from relay.adapters.dynamodb.store import MAINTENANCE_SECONDS, Store
from relay.adapters.dynamodb.values import Item

SETTLED_MS = 3600 * 1000
"""After that long, no write that began before an erasure is under way, and no text waits for its entry."""
RECENT_MS = 48 * SETTLED_MS
"""Texts are looked after this long: by then every sweep since has failed, or an entry names them."""
_FROM_ANY, _AFTER_ANY = " ", "\U0010ffff"


class Sweeping:
    """`Log.sweep`; see `relay.ports` for what it guarantees."""

    _store: Store

    def sweep(self, max_rows: int) -> bool:
        """See `Log.sweep`.

        An erased vault that is empty stays listed until it is settled, and is then looked at once more. A call that
        finds nothing to remove, as the scheduled ones do, removes texts whose append failed before its last step.
        """
        assert max_rows > 0
        calls, now_ms, left = self._store.begin(MAINTENANCE_SECONDS), self._store.now_ms(), max_rows
        todo = [item for item in _erased(calls) if _is_due(item, now_ms)]
        for place, item in enumerate(todo):
            removed = self._remove(calls, item["sk"], left)
            left -= removed
            if left == 0:
                return place + 1 < len(todo) or bool(_rows(calls, item["sk"], 1))
            self._mark(calls, item, now_ms)
        if not todo:
            self._reap(calls, now_ms)
        return False

    def _remove(self, calls: Calls, vault_id: str, max_rows: int) -> int:
        """Remove up to so many of an erased vault's rows, and before the last of them its texts outside."""
        rows = _rows(calls, vault_id, max_rows)
        if len(rows) < max_rows:
            for key, _ in self._store.texts.text_keys(f"{vault_id}/"):
                self._store.texts.delete_text(key)
        calls.delete_all(_registrations(vault_id, rows))
        calls.delete_all([_key(row) for row in rows])
        return len(rows)

    def _mark(self, calls: Calls, item: Item, now_ms: int) -> None:
        """Note that a vault is empty, or forget it once nothing more can come."""
        if now_ms - item["erased_at"] >= SETTLED_MS:
            calls.delete_all([_key(item)])
        elif "emptied" not in item:
            calls.update(_key(item), "SET emptied = :yes", "attribute_exists(pk)", yes=True)

    def _reap(self, calls: Calls, now_ms: int) -> None:
        for key, stored_at_ms in self._store.texts.text_keys(""):
            if SETTLED_MS <= now_ms - stored_at_ms < RECENT_MS and not _is_named(calls, key):
                self._store.texts.delete_text(key)


def _is_due(item: Item, now_ms: int) -> bool:
    return "emptied" not in item or now_ms - item["erased_at"] >= SETTLED_MS


def _erased(calls: Calls) -> list[Item]:
    found = calls.together(*(partial(calls.query_all, f"X#{digit}", _FROM_ANY, _AFTER_ANY) for digit in keys.DIGITS))
    return [item for items in found for item in items]


def _rows(calls: Calls, vault_id: str, limit: int) -> list[Item]:
    """Return up to so many of a vault's items, but for its tombstone."""
    items = calls.query_all(keys.vault_pk(vault_id), _FROM_ANY, _AFTER_ANY, limit=limit + 1)
    return [item for item in items if item["sk"] != keys.VAULT][:limit]


def _registrations(vault_id: str, rows: Sequence[Item]) -> list[Key]:
    devices = [row["sk"].removeprefix(keys.MEMBERS) for row in rows if row["sk"].startswith(keys.MEMBERS)]
    return [keys.registration(device_id, vault_id) for device_id in devices]


def _key(row: Item) -> Key:
    return {"pk": row["pk"], "sk": row["sk"]}


def _is_named(calls: Calls, key: str) -> bool:
    """Whether the entry that a text was made for is there and holds it."""
    vault_id, _, name = key.partition("/")
    slot, token, index = name.split("-")
    item = calls.get(keys.entry(vault_id, int(slot, 16)))
    found = entry_of(item) if item else None
    return found is not None and found.item["tk"].hex() == token and "o" in found.item["r"][int(index)]
