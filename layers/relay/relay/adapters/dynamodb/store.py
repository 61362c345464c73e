"""What the areas of the log share: the table, the calls of a method, and a consistent view of a vault and its end."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from relay.adapters.dynamodb import keys
from relay.adapters.dynamodb.calls import Calls, Items
from relay.adapters.dynamodb.entries import Tail, last_up_to, marker, new_token, tail_of
from relay.adapters.dynamodb.keys import Key
from relay.adapters.dynamodb.texts import Texts
from relay.adapters.dynamodb.values import Item
from relay.adapters.dynamodb.vault_item import Vault, vault_of
from relay.patience import DEADLINE_SECONDS, Patience
from relay.turns import Turns

MAINTENANCE_SECONDS = 20.0
"""For methods that take many steps. What one leaves when its time is over, its next call does."""
TURNS = 256
"""Queues that the vaults share."""
THREADS = 16
"""Calls of this process that may be under way at once, besides those that wait for no other."""


@dataclass(frozen=True, slots=True)
class View:
    """A vault and the end of its log, as they were at one instant, and other items that were read beside."""

    vault: Vault
    tail: Tail
    items: Items

    def item(self, key: Key) -> Item | None:
        """Return one of the items that were asked for."""
        return self.items.get((key["pk"], key["sk"]))


class Store:
    """The log's table and the texts outside it."""

    def __init__(
        self,
        client: Any,  # noqa: ANN401 -- botocore has no types
        table: str,
        texts: Texts,
        now_ms: Callable[[], int],
        patience: Callable[[float], Patience],
    ) -> None:
        self.table = table
        self.texts = texts
        self.now_ms = now_ms
        self._client = client
        self._patience = patience
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="dynamodb")
        self._noted = threading.local()
        self._turns = [Turns(DEADLINE_SECONDS, "contended") for _ in range(TURNS)]

    def begin(self, seconds: float = DEADLINE_SECONDS) -> Calls:
        """Return the calls of one method, which has so much time."""
        return Calls(self._client, self.table, self._threads, self._patience(seconds))

    def view(
        self, calls: Calls, vault_id: str, *more: Key, only_with: Key | None = None, torn: bool = False
    ) -> View | None:
        """Return a vault, its end and other items; None if it is not live, or where the item `only_with` is missing.

        All are read at once. Vault and end carry the token of the last fence: where it differs, they are of two
        instants, and are read again. Whoever then writes on the condition that the end is still the same knows that
        the vault had not changed either in any way that bears on an append.

        What a backup brought back may be of two instants for ever. `torn` takes that, too, for a write of both.
        """
        wanted = [keys.vault(vault_id), *more] + ([only_with] if only_with else [])
        while True:
            read: list[Any] = calls.together(partial(calls.query, **last_up_to(vault_id)), *calls.gets(wanted))
            answer, items = read[0], {key: item for part in read[1:] for key, item in part.items()}
            seen = vault_of(vault_id, items.get((keys.vault_pk(vault_id), keys.VAULT)))
            if seen is None or (only_with and (only_with["pk"], only_with["sk"]) not in items):
                return None
            tail = tail_of(answer["Items"][0]) if answer["Items"] else None
            if tail is not None and (torn or tail.fence == seen.fence):
                return View(seen, tail, items)
            calls.pause()

    def turns(self, vault_id: str) -> Turns:
        """Return the turns in which this process's threads append to a vault: together they would only collide."""
        return self._turns[hash(vault_id) % TURNS]

    # -------- what a thread saw when it looked up the signer, for its next append

    def note(self, device_id: str, view: View) -> None:
        """Keep a view for this thread."""
        self._noted.last = (view.vault.vault_id, device_id, view)

    def noted(self, vault_id: str, device_id: str) -> View | None:
        """Return the view that was kept for this vault and device, and forget it."""
        last = getattr(self._noted, "last", None)
        self._noted.last = None
        return last[2] if last is not None and last[:2] == (vault_id, device_id) else None

    def close(self) -> None:
        """Let the threads end."""
        self._threads.shutdown(wait=False)


def replace_vault(calls: Calls, vault: Vault) -> dict[str, Any]:
    """Return the write, for `transact`, of a vault's next version."""
    item, condition, values = vault.put()
    return calls.put_with(item, condition, **values)


def fence(calls: Calls, tail: Tail, vault: Vault) -> Sequence[dict[str, Any]]:
    """Return the writes of a vault's next version that stop every append which was planned before."""
    token = new_token()
    item, condition, values = vault.put()
    slot, values_of_slot = tail.condition()
    return (
        calls.put_with(item | {"fence": token}, condition, **values),
        calls.put_with(marker(vault.vault_id, tail, token, token), slot, **values_of_slot),
    )
