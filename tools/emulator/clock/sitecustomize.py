"""Puts the clock of a function's instance ahead, by as many seconds as a file says: Python runs this at its start.

For tests of what runs out. The functions and their layer stay as they were built.
"""

import datetime as dt
import os
import time
from pathlib import Path

_FILE = Path(os.environ["EMULATOR_CLOCK"])
_REAL = time.time_ns


def _ahead_seconds() -> int:
    return int(_FILE.read_text())


class _Ahead(dt.datetime):
    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> "_Ahead":
        return super().now(tz) + dt.timedelta(seconds=_ahead_seconds())


time.time_ns = lambda: _REAL() + _ahead_seconds() * 1_000_000_000
dt.datetime = _Ahead  # type: ignore[misc]
