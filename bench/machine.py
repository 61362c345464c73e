"""What a run was made on, in words that a reader of its figures needs, and none that name the machine."""

import os
import platform
import re
import sqlite3
from datetime import UTC, datetime
from pathlib import Path


def machine() -> dict[str, str]:
    """Describe it: date, processor, system, versions, and what else it had to do in the minute before."""
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "cpu": f"{_cpu_model()}, {os.cpu_count()} cores",
        "kernel": f"{platform.system()} {platform.release().partition('-')[0]}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "load": f"{os.getloadavg()[0]:.1f}",
    }


def _cpu_model() -> str:
    found = re.search(r"^(?:model name|Model)\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()
