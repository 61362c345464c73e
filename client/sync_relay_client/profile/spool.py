"""Blobs under way: files in the profile's folder, made private, removed once their row is gone."""

import os
import time
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from sync_relay_client.profile.secrets import sync_folder

FOLDER = "spool"
STALE_SECONDS = 2 * 24 * 3600
"""After which a file that no row names is nobody's: the process that made it is gone."""


class Spool:
    """The folder. Names in rows are relative to the profile's folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._directory = folder / FOLDER

    def new(self, kind: str) -> Path:
        """Return the path of a file that is not there yet."""
        self._directory.mkdir(mode=0o700, exist_ok=True)
        return self._directory / f"{kind}-{uuid4()}"

    def secure(self, *paths: Path) -> None:
        """Make files survive the loss of power, before rows name them."""
        for path in paths:
            with path.open("r+b") as file:
                os.fsync(file.fileno())
        sync_folder(self._directory)

    def path(self, name: str) -> Path:
        """Return the file that a row names."""
        return self._folder / name

    def name(self, path: Path) -> str:
        """Return what a row calls a file."""
        return str(path.relative_to(self._folder))

    def clean(self, named: set[str]) -> None:
        """Remove what crashes left: old files that no row names."""
        stale_before = time.time() - STALE_SECONDS
        for path in self._directory.glob("*"):
            with suppress(FileNotFoundError):  # another process is through with it
                if self.name(path) not in named and path.stat().st_mtime < stale_before:
                    path.unlink()
