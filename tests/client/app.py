"""An app that syncs: it records payloads, and keeps what it applied in a table of its own, in the profile's file."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from relay_protocol.chain import Head
from sync_relay_client import Change, Inbox, Options, Vault
from sync_relay_client.profile.profile import FILE
from tests.client.relay_in_process import RelayInProcess

_TABLES = (
    "CREATE TABLE IF NOT EXISTS wanted (payload BLOB PRIMARY KEY)",
    "CREATE TABLE IF NOT EXISTS applied (no INTEGER PRIMARY KEY, payload BLOB NOT NULL)",
)


def change_of(payload: bytes) -> Change:
    return Change("ana", "2026-04-26T09:30:04.000Z", "upsert", "note", "n1", payload)


def record(vault: Vault, payloads: Sequence[bytes]) -> None:
    """Want to send these; which of them were recorded, the app's own table tells."""
    with vault.outbox() as outbox:
        _prepare(outbox.connection)
        for payload in payloads:
            if outbox.connection.execute("INSERT OR IGNORE INTO wanted VALUES (?)", (payload,)).rowcount:
                outbox.add(change_of(payload))


def apply(vault: Vault, limit: int = 1000) -> int:
    """Apply one batch of what was pulled; return how much of it there was."""
    with vault.inbox(limit) as inbox:
        write_applied(inbox)
        return len(inbox) + (inbox.restored is not None)


def write_applied(inbox: Inbox) -> None:
    connection = inbox.connection
    _prepare(connection)
    if inbox.restored is not None:
        connection.execute("DELETE FROM applied")
        with inbox.restored.open() as content:
            rows = [(bytes.fromhex(line.decode()),) for line in content]
        connection.executemany("INSERT INTO applied (payload) VALUES (?)", rows)
    connection.executemany("INSERT INTO applied (payload) VALUES (?)", [(one.change.payload,) for one in inbox])


def apply_all(vault: Vault, limit: int = 1000) -> None:
    while apply(vault, limit):
        pass


def write(file: BinaryIO, connection: sqlite3.Connection) -> None:
    """Write the app's state, as a snapshot holds it."""
    if connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'applied'").fetchone():
        payloads = connection.execute("SELECT payload FROM applied ORDER BY no")
        file.writelines(payload.hex().encode() + b"\n" for (payload,) in payloads)


def applied(folder: Path) -> list[bytes]:
    """Read what the app of a profile has applied, in order, as any process could."""
    connection = sqlite3.connect(folder / FILE)
    try:
        if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'applied'").fetchone():
            return []
        return [row[0] for row in connection.execute("SELECT payload FROM applied ORDER BY no")]
    finally:
        connection.close()


def sync(vault: Vault) -> None:
    """Do what an app does now and then."""
    vault.sync()
    apply_all(vault)


def pair(vault: Vault, folder: Path, options: Options) -> Vault:
    """Let a new device join, as two people do."""
    code = vault.invite(Vault.request(folder, options=options))
    joined = Vault.join(folder, code, options=options)
    joined.sync()
    return joined


def heads(*vaults: Vault) -> set[Head]:
    return {vault.head for vault in vaults}


def found(relay: RelayInProcess, folder: Path, *, recovery: bool = False) -> Vault:
    return Vault.create(folder, relay.url, recovery=recovery, options=relay.options())


def _prepare(connection: sqlite3.Connection) -> None:
    for statement in _TABLES:
        connection.execute(statement)
