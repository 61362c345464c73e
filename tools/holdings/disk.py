"""What the relay's disk holds."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sync_relay_client import Envelope
from tools.holdings.port import Restore

_SEQ_BITS = 36


class Disk:
    """The folder of a relay whose stores are SQLite and files."""

    name = "disk"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def row(self, seq: int) -> dict[str, Any]:
        """Return a changeset's row in the database."""
        with self._database() as database:
            (row,) = database.execute("SELECT * FROM changesets WHERE place & ? = ?", ((1 << _SEQ_BITS) - 1, seq))
        return dict(row)

    def envelopes(self, after_seq: int) -> list[Envelope]:
        """Return the changesets after a seq."""
        with self._database() as database:
            rows = database.execute(
                "SELECT text FROM changesets WHERE place & ? > ? ORDER BY place", ((1 << _SEQ_BITS) - 1, after_seq)
            )
            return [Envelope(**json.loads(row["text"])) for row in rows]

    def sealed_bytes(self) -> int:
        """Return how many bytes the texts of all changesets take."""
        with self._database() as database:
            return int(database.execute("SELECT sum(length(text)) FROM changesets").fetchone()[0] or 0)

    def blobs(self) -> dict[str, int]:
        """Return the sizes of the snapshots' files."""
        folder = self._folder / "blobs"
        files = (path for path in folder.rglob("*") if path.is_file())
        return {path.relative_to(folder).as_posix(): path.stat().st_size for path in files}

    def blob(self, name: str) -> bytes:
        """Return a file's bytes."""
        return (self._folder / "blobs" / name).read_bytes()

    def put_blob(self, name: str, content: bytes) -> None:
        """Write a file anew."""
        (self._folder / "blobs" / name).write_bytes(content)

    def contents(self) -> Iterator[bytes]:
        """Yield every file's bytes."""
        return (path.read_bytes() for path in self._folder.rglob("*") if path.is_file())

    def back_up(self) -> Restore:
        """Copy the folder."""
        backup = self._folder.with_name(f"{self._folder.name}.backup")
        shutil.copytree(self._folder, backup)

        def restore() -> None:
            shutil.rmtree(self._folder)
            shutil.copytree(backup, self._folder)

        return restore

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(f"file:{self._folder / 'relay.sqlite3'}?mode=ro", uri=True)) as database:
            database.row_factory = sqlite3.Row
            yield database
