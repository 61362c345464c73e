"""Waiting for a file that another process has locked.

SQLite's own way is to look again after pauses that get longer, up to 100 ms: who has waited long is then the one who
finds the file free least often, and among several processes that write all the time some never do. Here all look
equally often, at random, and the more seldom the longer a look takes: on a network file system it is several trips to
the server, and meanwhile it hinders the one who commits.
"""

import random
import sqlite3
import time
from collections.abc import Callable
from typing import TypeVar

R = TypeVar("R")

PAUSE_LOOKS = 20
"""The longest pause, by how long the look before it took. Eight who wait so hinder each other little."""
LONGEST_PAUSE_SECONDS = (0.002, 0.2)
"""It is between these."""


class Deadline:
    """How long one transaction waits for locks, all in all."""

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    def patiently(self, step: Callable[[], R]) -> R:
        """Do a step that needs a lock, again while the file is locked. Raises sqlite3.OperationalError at the end."""
        while True:
            started = time.monotonic()
            try:
                return step()
            except sqlite3.OperationalError as error:
                now = time.monotonic()
                if not _is_locked(error) or now >= self._at:
                    raise
            least, most = LONGEST_PAUSE_SECONDS
            longest = min(max(least, PAUSE_LOOKS * (now - started)), most)
            time.sleep(random.uniform(0, longest))  # noqa: S311 -- spreads load, guards nothing


def _is_locked(error: sqlite3.OperationalError) -> bool:
    return (getattr(error, "sqlite_errorcode", 0) & 0xFF) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
