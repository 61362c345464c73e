"""What the relay's disk holds."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sync_relay_client import Envelope

_SEQ_BITS = 36
_BEGINNING_BYTES = 8


def stored_row(folder: Path, seq: int) -> dict[str, Any]:
    """Return all that the relay's database holds of one changeset of its only vault."""
    with _database(folder) as database:
        (row,) = database.execute("SELECT * FROM changesets WHERE place & ? = ?", ((1 << _SEQ_BITS) - 1, seq))
    return dict(row)


def stored_envelopes(folder: Path, after_seq: int) -> list[Envelope]:
    """Return the changesets after a seq, sealed as they lie there."""
    with _database(folder) as database:
        rows = database.execute(
            "SELECT text FROM changesets WHERE place & ? > ? ORDER BY place", ((1 << _SEQ_BITS) - 1, after_seq)
        )
        return [Envelope(**json.loads(row["text"])) for row in rows]


def sealed_bytes(folder: Path) -> int:
    """Return how many bytes the texts of all changesets take."""
    with _database(folder) as database:
        return int(database.execute("SELECT sum(length(text)) FROM changesets").fetchone()[0] or 0)


def blob_files(folder: Path) -> list[Path]:
    """Return the files of snapshots."""
    return [path for path in (folder / "blobs").rglob("*") if path.is_file()]


def found_on_disk(folder: Path, words: set[bytes]) -> set[bytes]:
    """Return which of these words stand anywhere in the files that the relay keeps.

    Many begin alike, so each beginning is looked for once, and the words whose beginning is there.
    """
    contents = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    beginnings = {word[:_BEGINNING_BYTES] for word in words}
    there = {beginning for beginning in beginnings if any(beginning in content for content in contents)}
    candidates = (word for word in words if word[:_BEGINNING_BYTES] in there)
    return {word for word in candidates if any(word in content for content in contents)}


@contextmanager
def _database(folder: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(f"file:{folder / 'relay.sqlite3'}?mode=ro", uri=True)) as database:
        database.row_factory = sqlite3.Row
        yield database
