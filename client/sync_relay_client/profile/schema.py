"""The tables of a profile. All names begin with `sync_relay_`: the others are the app's."""

from sqlite3 import Connection

from sync_relay_client.errors import ProfileBroken

VERSION = 1

_TABLES = """
CREATE TABLE sync_relay_device (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    version INTEGER NOT NULL,
    stage TEXT NOT NULL CHECK (stage IN ('requesting', 'founding', 'active', 'erased')),
    device_id TEXT NOT NULL,
    relay_url TEXT,
    vault_id TEXT,
    epoch TEXT,
    founder TEXT,
    anchor_seq INTEGER,
    anchor_chain BLOB,
    membership TEXT,
    named_by_invitation TEXT,
    keys_in_force INTEGER NOT NULL DEFAULT 0,
    snapshot_wanted TEXT,
    secrets BLOB NOT NULL,
    head_seq INTEGER NOT NULL DEFAULT 0,
    head_chain BLOB
) STRICT;

CREATE TABLE sync_relay_history (
    seq INTEGER PRIMARY KEY,
    chain BLOB NOT NULL,
    id BLOB
) STRICT;
CREATE UNIQUE INDEX sync_relay_history_by_id ON sync_relay_history (id) WHERE id IS NOT NULL;

CREATE TABLE sync_relay_outbox (
    no INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    schema_version INTEGER NOT NULL,
    origin_user TEXT NOT NULL,
    timestamp TEXT NOT NULL,
    operation_type TEXT NOT NULL,
    entity TEXT NOT NULL,
    entity_id TEXT NOT NULL,
    payload BLOB NOT NULL,
    envelope TEXT,
    acknowledged_seq INTEGER
) STRICT;
CREATE INDEX sync_relay_outbox_acknowledged ON sync_relay_outbox (acknowledged_seq)
    WHERE acknowledged_seq IS NOT NULL;

CREATE TABLE sync_relay_lost (id BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;

CREATE TABLE sync_relay_inbox (
    no INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL,
    received_at TEXT NOT NULL,
    id TEXT NOT NULL,
    author TEXT NOT NULL,
    schema_version INTEGER NOT NULL,
    origin_user TEXT NOT NULL,
    timestamp TEXT NOT NULL,
    operation_type TEXT NOT NULL,
    entity TEXT NOT NULL,
    entity_id TEXT NOT NULL,
    payload BLOB NOT NULL,
    witness_seq INTEGER NOT NULL,
    witness_chain BLOB NOT NULL
) STRICT;

CREATE TABLE sync_relay_revocations (device_id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;

CREATE TABLE sync_relay_passed_over (seq INTEGER PRIMARY KEY) STRICT;

CREATE TABLE sync_relay_uploads (
    no INTEGER PRIMARY KEY AUTOINCREMENT,
    file TEXT NOT NULL,
    sha256 BLOB NOT NULL,
    size_bytes INTEGER NOT NULL,
    key_id TEXT NOT NULL,
    schema_version INTEGER NOT NULL,
    covers_seq INTEGER NOT NULL,
    covers_chain BLOB NOT NULL
) STRICT;

CREATE TABLE sync_relay_restored (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    file TEXT NOT NULL,
    schema_version INTEGER NOT NULL,
    covers_seq INTEGER NOT NULL,
    covers_chain BLOB NOT NULL
) STRICT;
"""


def prepare(connection: Connection) -> None:
    """Make the tables in a new file, in the open transaction. Raises ProfileBroken for those of a later version."""
    if not has_tables(connection):
        for statement in _TABLES.split(";"):
            connection.execute(statement)
        return
    row = connection.execute("SELECT version FROM sync_relay_device").fetchone()
    if row is not None and row[0] != VERSION:
        raise ProfileBroken("the profile was written by another version of this program")


def has_tables(connection: Connection) -> bool:
    """Whether the file holds a profile's tables."""
    found = connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'sync_relay_device'").fetchone()
    return found is not None
