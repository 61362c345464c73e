"""Last writer wins, field by field: rows in tables of the app's own, and beside them the stamp of each field's edit."""

import json
from collections.abc import Iterator, Mapping
from sqlite3 import Connection

from examples.household.hlc import Stamp

Value = str | int
Cells = Mapping[str, tuple[Value, Stamp]]
"""What an edit, or a whole row, says: field by field the value, and when it was set."""

FIELDS: dict[str, dict[str, type[Value]]] = {
    "accounts": {"name": str, "deleted": int},
    "entries": {"account": str, "day": str, "cents": int, "note": str, "deleted": int},
}
"""The tables, and what may be set in a row. A row is never gone: `deleted` is a field like the others."""

_TABLES = """
CREATE TABLE IF NOT EXISTS accounts (
    id TEXT PRIMARY KEY, name TEXT NOT NULL DEFAULT '', deleted INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE IF NOT EXISTS entries (
    id TEXT PRIMARY KEY, account TEXT NOT NULL DEFAULT '', day TEXT NOT NULL DEFAULT '',
    cents INTEGER NOT NULL DEFAULT 0, note TEXT NOT NULL DEFAULT '', deleted INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE IF NOT EXISTS stamps (
    entity TEXT NOT NULL, id TEXT NOT NULL, field TEXT NOT NULL, stamp TEXT NOT NULL, PRIMARY KEY (entity, id, field)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS stamps_by_time ON stamps (stamp)
"""


def create_tables(connection: Connection) -> None:
    """Make the tables, in the open transaction: `executescript` would end it."""
    for statement in _TABLES.split(";"):
        connection.execute(statement)


def merge(connection: Connection, entity: str, row_id: str, cells: Cells) -> None:
    """Set each field whose stamp is greater than the one it has. In any order, any number of times: the same rows."""
    connection.execute(f"INSERT OR IGNORE INTO {entity} (id) VALUES (?)", (row_id,))  # noqa: S608 -- one of FIELDS
    for field, (value, stamp) in cells.items():
        is_later = connection.execute(
            "INSERT INTO stamps VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET stamp = excluded.stamp"
            " WHERE excluded.stamp > stamp",
            (entity, row_id, field, str(stamp)),
        ).rowcount
        if is_later:
            connection.execute(f"UPDATE {entity} SET {field} = ? WHERE id = ?", (value, row_id))  # noqa: S608 -- ditto


def latest_stamp(connection: Connection) -> Stamp | None:
    """Return the greatest stamp drawn or seen here. It is some field's: no edit that lost had a greater one."""
    (text,) = connection.execute("SELECT max(stamp) FROM stamps").fetchone()
    return None if text is None else Stamp.parse(text)


def rows(connection: Connection) -> Iterator[tuple[str, str, Cells]]:
    """Yield table, id and cells of every row, deleted ones too: they must stay deleted elsewhere."""
    for entity, fields in FIELDS.items():
        for row_id, *values in connection.execute(f"SELECT id, {', '.join(fields)} FROM {entity} ORDER BY id"):  # noqa: S608
            found = connection.execute("SELECT field, stamp FROM stamps WHERE entity = ? AND id = ?", (entity, row_id))
            stamps = dict(found)
            here = dict(zip(fields, values, strict=True))
            yield entity, row_id, {field: (here[field], Stamp.parse(stamp)) for field, stamp in stamps.items()}


def encode(cells: Cells) -> bytes:
    """Return cells as a change carries them: `{"note": ["bread", "019…"]}`."""
    return json.dumps({field: [value, str(stamp)] for field, (value, stamp) in cells.items()}).encode()


def decode(entity: str, payload: bytes) -> Cells:
    """Read what `encode` wrote. Raises ValueError for a table, field or value that no ledger of this version writes."""
    if entity not in FIELDS:
        raise ValueError("not a table of this ledger")
    cells = {}
    for field, (value, stamp) in json.loads(payload).items():
        if type(value) is not FIELDS[entity].get(field):
            raise ValueError("not a field of this table, or a value of another kind")
        cells[field] = (value, Stamp.parse(stamp))
    return cells
