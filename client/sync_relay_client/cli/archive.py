"""The commands' own application: an archive of every change of the vault, as JSON lines in a table.

The table is in the profile's file, and filled in the transaction that takes the changes out of the inbox. A snapshot
holds the same lines after one that names the format; content of another application is put into a file instead.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from sqlite3 import Connection
from typing import BinaryIO

from sync_relay_client.cli.contents import FORMAT_LINE, archive_lines, copy_content, is_archive
from sync_relay_client.cli.json_lines import line_of
from sync_relay_client.profile import Restored
from sync_relay_client.vault import Vault

_PAGE = 1_000
_PRINTED_AT_ONCE = 100
"""How many changes are printed before that is noted: as many may be printed again where it was cut."""
_TABLE = """CREATE TABLE IF NOT EXISTS archive (
    no INTEGER PRIMARY KEY AUTOINCREMENT,
    seq INTEGER NOT NULL,
    id TEXT NOT NULL UNIQUE,
    line TEXT NOT NULL,
    printed INTEGER NOT NULL
) STRICT"""
_INDEXES = (
    "CREATE INDEX IF NOT EXISTS archive_in_order ON archive (seq)",
    "CREATE INDEX IF NOT EXISTS archive_unprinted ON archive (seq) WHERE NOT printed",
)


def take_in(vault: Vault, folder: Path, output: Path | None = None) -> Path | None:
    """Take all that waits in the inbox into the archive.

    A snapshot's content replaces the archive if it is one. Return where the content was written: to `output`;
    without that, to a file in `folder` if it is no archive.
    """
    content = None
    while True:
        with vault.inbox(_PAGE) as inbox:
            _prepare(inbox.connection)
            if inbox.restored is not None:
                content = _restore(inbox.connection, inbox.restored, folder, output)
            for opened in inbox:
                _put(inbox.connection, opened.seq, opened.id, line_of(opened))
        if len(inbox) < _PAGE:
            return content


def print_new(vault: Vault, show: Callable[[str], None]) -> int:
    """Show each line that was not shown before, and return how many; what was not shown whole is shown again.

    No transaction is open meanwhile: whoever reads along may take a day, and others write to the profile.
    """
    shown = 0
    while rows := _unprinted(vault):
        for _, line in rows:
            show(line)
        sys.stdout.flush()
        with vault.outbox() as outbox:  # for its transaction: nothing is recorded
            outbox.connection.executemany("UPDATE archive SET printed = 1 WHERE no = ?", [row[:1] for row in rows])
        shown += len(rows)
    return shown


def archived_lines(vault: Vault) -> Iterator[str]:
    """Yield the archive in the log's order; no transaction is open meanwhile."""
    place = (0, 0)
    while True:
        with vault.outbox() as outbox:  # for its connection: nothing is recorded
            _prepare(outbox.connection)
            rows = _page(outbox.connection, place)
        if not rows:
            return
        place = rows[-1][:2]
        yield from (line for _, _, line in rows)


def write_archive(file: BinaryIO, connection: Connection) -> None:
    """Write the archive as a snapshot's content."""
    file.write(FORMAT_LINE)
    place = (0, 0)
    while rows := _page(connection, place):
        place = rows[-1][:2]
        file.writelines(f"{line}\n".encode() for _, _, line in rows)


def _unprinted(vault: Vault) -> list[tuple[int, str]]:
    with vault.outbox() as outbox:
        _prepare(outbox.connection)
        return outbox.connection.execute(
            "SELECT no, line FROM archive WHERE NOT printed ORDER BY seq, no LIMIT ?", (_PRINTED_AT_ONCE,)
        ).fetchall()


def _prepare(connection: Connection) -> None:
    for statement in (_TABLE, *_INDEXES):
        connection.execute(statement)


def _put(connection: Connection, seq: int, changeset_id: str, line: str, *, printed: bool = False) -> None:
    """Insert a change. One that comes again, since a restored store had lost it, is where it came last."""
    connection.execute(
        "INSERT INTO archive (seq, id, line, printed) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, line = excluded.line",
        (seq, changeset_id, line, printed),
    )


def _page(connection: Connection, place: tuple[int, int]) -> list[tuple[int, int, str]]:
    return connection.execute(
        "SELECT seq, no, line FROM archive WHERE (seq, no) > (?, ?) ORDER BY seq, no LIMIT ?", (*place, _PAGE)
    ).fetchall()


def _restore(connection: Connection, restored: Restored, folder: Path, output: Path | None) -> Path | None:
    if not is_archive(restored):
        return copy_content(restored, output or folder / f"restored-{restored.covers.seq}")
    waiting = {row[0] for row in connection.execute("SELECT id FROM archive WHERE NOT printed")}
    connection.execute("DELETE FROM archive")
    for line, text in archive_lines(restored):
        _put(connection, line.seq, line.id, text, printed=line.id not in waiting)
    return None if output is None else copy_content(restored, output)
