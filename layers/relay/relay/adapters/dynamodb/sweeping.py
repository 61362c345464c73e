"""Sweeping: what erasures left, and texts outside the table that no entry names."""

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from itertools import islice

from relay.adapters.dynamodb import keys
from relay.adapters.dynamodb.calls import Calls
from relay.adapters.dynamodb.entries import EMPTY, entry_of
from relay.adapters.dynamodb.failures import Refused
from relay.adapters.dynamodb.keys import Key
from relay.adapters.dynamodb.store import MAINTENANCE_SECONDS, Store
from relay.adapters.dynamodb.values import Item

SETTLED_MS = 3600 * 1000
"""After that long, no write that began before an erasure is under way, and no text waits for its entry."""
RECENT_MS = 48 * SETTLED_MS
"""Texts are looked after for this long: by then every run of retention since has failed, or an entry names them."""
ERASED_AT_A_TIME = 10
"""Of each part of the list of erased vaults."""
_FROM_ANY, _AFTER_ANY = " ", "\U0010ffff"


class Sweeping:
    """`Log.sweep` and `Log.reap`; see `relay.ports` for what they guarantee."""

    _store: Store

    def sweep(self, max_rows: int) -> bool:
        """See `Log.sweep`. A text outside the table is a row, too.

        An erased vault that is empty stays listed until it is settled, and is then looked at once more. So long its
        fence stays, too: were its place empty again, a push that was planned before the erasure would be stored.
        """
        assert max_rows > 0
        calls, now_ms, left = self._store.begin(MAINTENANCE_SECONDS), self._store.now_ms(), max_rows
        todo = _erased(calls, now_ms)
        for place, item in enumerate(todo):
            stay = frozenset({keys.VAULT, *([keys.slot_sk(item["slot"])] if now_ms < _settled_ms(item) else [])})
            left -= self._remove(calls, item["vault"], stay, left)
            if left == 0 and self._left(calls, item["vault"], stay):
                return True
            _settle(calls, item, now_ms)
            if left == 0 and place + 1 < len(todo):
                return True
        return len(todo) >= ERASED_AT_A_TIME

    def reap(self, after: str, limit: int) -> str | None:
        """See `Log.reap`. What is put aside are the texts outside the table."""
        calls, now_ms = self._store.begin(MAINTENANCE_SECONDS), self._store.now_ms()
        listed = list(islice(self._store.texts.text_keys("", after), limit))
        doubtful = [key for key, stored_at_ms in listed if SETTLED_MS <= now_ms - stored_at_ms < RECENT_MS]
        calls.together(*(partial(self._reap, calls, key) for key in doubtful))
        return listed[-1][0] if len(listed) == limit else None

    def _remove(self, calls: Calls, vault_id: str, stay: frozenset[str], max_rows: int) -> int:
        """Remove up to so many of an erased vault's texts outside and, once these are gone, of its other rows."""
        texts = [key for key, _ in islice(self._store.texts.text_keys(f"{vault_id}/"), max_rows)]
        calls.together(*(partial(self._store.texts.delete_text, key) for key in texts))
        rows = _rows(calls, vault_id, stay, max_rows - len(texts)) if len(texts) < max_rows else []
        calls.delete_all(_registrations(vault_id, rows))
        calls.delete_all([_key(row) for row in rows])
        return len(texts) + len(rows)

    def _left(self, calls: Calls, vault_id: str, stay: frozenset[str]) -> bool:
        texts = self._store.texts.text_keys(f"{vault_id}/")
        return next(texts, None) is not None or bool(_rows(calls, vault_id, stay, 1))

    def _reap(self, calls: Calls, key: str) -> None:
        if not _is_named(calls, key):
            self._store.texts.delete_text(key)


def _erased(calls: Calls, now_ms: int) -> list[Item]:
    """Return the erased vaults that are to be looked at now, up to so many of each part of their list."""
    until = keys.time_sk(now_ms) + _AFTER_ANY
    parts = (partial(calls.query_all, f"X#{digit}", _FROM_ANY, until, limit=ERASED_AT_A_TIME) for digit in keys.DIGITS)
    return [item for items in calls.together(*parts) for item in items]


def _settle(calls: Calls, item: Item, now_ms: int) -> None:
    """Note when to look at a vault again that is empty now, or forget it once nothing more can come."""
    if now_ms < _settled_ms(item):
        with suppress(Refused):  # it was noted before
            calls.put({**item, **keys.erased(item["vault"], _settled_ms(item))}, EMPTY)
    calls.delete_all([_key(item)])


def _settled_ms(item: Item) -> int:
    settled_ms: int = item["erased_at"] + SETTLED_MS
    return settled_ms


def _rows(calls: Calls, vault_id: str, stay: frozenset[str], limit: int) -> list[Item]:
    """Return the keys of up to so many of a vault's items, but for those that stay, such as its tombstone."""
    more = limit + len(stay)
    items = calls.query_all(keys.vault_pk(vault_id), _FROM_ANY, _AFTER_ANY, limit=more, only="pk, sk")
    return [item for item in items if item["sk"] not in stay][:limit]


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
