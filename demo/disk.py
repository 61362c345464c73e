"""What the relay's disk holds."""

import sqlite3
from pathlib import Path
from typing import Any


def stored_row(folder: Path, seq: int) -> dict[str, Any]:
    """Return all that the relay's database holds of one changeset of its only vault."""
    with sqlite3.connect(f"file:{folder / 'relay.sqlite3'}?mode=ro", uri=True) as database:
        database.row_factory = sqlite3.Row
        row = database.execute("SELECT * FROM changesets ORDER BY place LIMIT 1 OFFSET ?", (seq - 1,)).fetchone()
    return dict(row)


def found_on_disk(folder: Path, words: set[bytes]) -> set[bytes]:
    """Return which of these words stand anywhere in the files that the relay keeps."""
    contents = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    return {word for word in words if any(word in content for content in contents)}
