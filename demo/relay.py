"""The demo's relay: the embedded server in a process of its own, and what its disk holds."""

import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self


class EmbeddedRelay:
    """A relay in a folder of its own, on a free port; stopped at the end."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> Self:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("RELAY_")}
        environment |= {"RELAY_DATA_DIR": str(self._folder), "RELAY_PORT": "0"}
        command = [sys.executable, "-m", "local.cli", "serve"]
        self._process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        found = (re.search(r"http://\S+", line) for line in self._process.stdout)
        self.url = next(match[0] for match in found if match)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._process.terminate()
        self._process.communicate(timeout=30)

    def stored_row(self, seq: int) -> dict[str, object]:
        """Return all that the relay's database holds of one changeset."""
        with sqlite3.connect(f"file:{self._folder / 'relay.sqlite3'}?mode=ro", uri=True) as database:
            database.row_factory = sqlite3.Row
            row = database.execute("SELECT * FROM changesets ORDER BY place LIMIT 1 OFFSET ?", (seq - 1,)).fetchone()
        return dict(row)

    def finds(self, words: set[bytes]) -> set[bytes]:
        """Return which of these words stand anywhere in the files that the relay keeps."""
        contents = [path.read_bytes() for path in self._folder.rglob("*") if path.is_file()]
        return {word for word in words if any(word in content for content in contents)}
