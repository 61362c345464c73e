"""The household's ledger on one device: edited at once, synced when there is a relay to be reached.

Its tables are in the vault's profile. So an edit and the change that tells the others of it become true together, and
so do what came in and that it was applied.
"""

import json
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from sqlite3 import Connection
from typing import BinaryIO, NamedTuple, Self
from uuid import uuid4

from examples.household.hlc import draw
from examples.household.merging import Value, create_tables, decode, encode, latest_stamp, merge, rows
from sync_relay_client import Change, Restored, Vault
from sync_relay_client.errors import NotCaughtUp

SCHEMA_VERSION = 1


class UpdateNeeded(Exception):
    """Another device has a newer ledger. What it wrote waits in the inbox until this one is updated."""


class Entry(NamedTuple):
    """A line of the ledger, as it is shown."""

    id: str
    day: str
    account: str
    cents: int
    note: str


class Ledger:
    """Edits, and syncs. `clock` gives Unix seconds. It may be open in several processes at once."""

    def __init__(self, vault: Vault, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._vault = vault
        self._device_id = vault.device_id
        self._clock = clock
        with vault.outbox() as outbox:
            create_tables(outbox.connection)
        # A connection of its own for reading, which waits for no sync under way.
        self._reading = sqlite3.connect(f"{(folder / 'state.sqlite3').absolute().as_uri()}?mode=ro", uri=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._reading.close()

    # ------------------------------------------------------------ editing

    def add_account(self, name: str) -> str:
        """Add an account; return its id."""
        return self._record("accounts", str(uuid4()), name=name)

    def add_entry(self, account_id: str, day: str, cents: int, note: str) -> str:
        """Add an entry; return its id."""
        return self._record("entries", str(uuid4()), account=account_id, day=day, cents=cents, note=note)

    def edit_entry(self, entry_id: str, **fields: Value) -> None:
        """Set some fields. Only they are told to the others, who may edit the rest meanwhile."""
        self._record("entries", entry_id, **fields)

    def delete_entry(self, entry_id: str) -> None:
        """Delete an entry. What others set in it meanwhile does not bring it back; `edit_entry(…, deleted=0)` does."""
        self._record("entries", entry_id, deleted=1)

    def _record(self, entity: str, row_id: str, **fields: Value) -> str:
        with self._vault.outbox() as outbox:
            now_millis = int(self._clock() * 1000)
            stamp = draw(latest_stamp(outbox.connection), now_millis, self._device_id)
            cells = {field: (value, stamp) for field, value in fields.items()}
            merge(outbox.connection, entity, row_id, cells)
            change = Change("household", str(stamp), "set", entity, row_id, encode(cells))
            outbox.add(change, schema_version=SCHEMA_VERSION)
        return row_id

    # ------------------------------------------------------------ reading

    def entries(self) -> Sequence[Entry]:
        """Return what is not deleted, by day. There is no foreign key: an account may be deleted under an entry."""
        found = self._reading.execute(
            "SELECT entries.id, day, coalesce(accounts.name, ''), cents, note FROM entries"
            " LEFT JOIN accounts ON accounts.id = entries.account WHERE NOT entries.deleted ORDER BY day, entries.id"
        )
        return [Entry(*row) for row in found]

    def accounts(self) -> dict[str, str]:
        """Return the accounts' names and ids."""
        return dict(self._reading.execute("SELECT name, id FROM accounts WHERE NOT deleted ORDER BY id DESC"))

    # ------------------------------------------------------------ syncing

    def sync(self) -> None:
        """Send and fetch what there is, apply it, and leave a snapshot where the relay would like one."""
        self._vault.sync()
        self.apply()
        if self._vault.status().snapshot_wanted is not None:
            with suppress(NotCaughtUp):  # others pushed meanwhile: the next sync tries again
                self.snapshot()

    def apply(self) -> None:
        """Apply what was pulled, also after a crash. This device's own changes come back, too, and change nothing."""
        is_through = False
        while not is_through:
            with self._vault.inbox() as inbox:
                if inbox.restored is not None:
                    _merge_snapshot(inbox.connection, inbox.restored)
                for opened in inbox:
                    _check_version(opened.schema_version)
                    entity, row_id = opened.change.entity, opened.change.entity_id
                    merge(inbox.connection, entity, row_id, decode(entity, opened.change.payload))
                is_through = not inbox

    def snapshot(self) -> None:
        """Make a snapshot, from which a new device starts and after which the relay may prune the history."""
        self._vault.snapshot(_write_snapshot, schema_version=SCHEMA_VERSION)


def _write_snapshot(file: BinaryIO, connection: Connection) -> None:
    """Write a line a row, as if one change had set all its fields."""
    for entity, row_id, cells in rows(connection):
        line = json.dumps([entity, row_id, encode(cells).decode()])
        file.write(f"{line}\n".encode())


def _merge_snapshot(connection: Connection, restored: Restored) -> None:
    """Take a snapshot in. It is merged, not put in the tables' place: they hold edits that wait in the outbox, too."""
    _check_version(restored.schema_version)
    with restored.open() as file:
        for line in file:
            entity, row_id, cells = json.loads(line)
            merge(connection, entity, row_id, decode(entity, cells.encode()))


def _check_version(schema_version: int) -> None:
    if schema_version > SCHEMA_VERSION:
        raise UpdateNeeded("another device has a newer ledger: update this one")
