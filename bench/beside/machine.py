"""The machine, in words that a reader of the figures needs, and none that name it."""

import os
import platform
import re
import sqlite3
from datetime import UTC, datetime
from pathlib import Path


def machine(folder: Path) -> dict[str, str]:
    """Describe it. `folder` is where the servers keep their data."""
    gib = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1024**3
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "cpu": f"{_cpu_model()}, {os.cpu_count()} cores",
        "memory": f"{gib:.0f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "file system of the data": file_system_of(folder, Path("/proc/mounts").read_text()),
        "python": f"{platform.python_implementation()} {platform.python_version()}, SQLite {sqlite3.sqlite_version}",
        "load before it began": f"{os.getloadavg()[0]:.2f}",
    }


def file_system_of(folder: Path, mounts: str) -> str:
    """Return the type of the file system that a folder is on, by the mount point that is its nearest parent."""
    points = [line.split()[1:3] for line in mounts.splitlines()]
    above = [(point, kind) for point, kind in points if folder.resolve().is_relative_to(point)]
    return max(above, key=lambda one: len(one[0]))[1]


def _cpu_model() -> str:
    found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()
