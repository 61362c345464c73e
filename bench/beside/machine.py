"""What the servers ran on."""

import os
from pathlib import Path

from bench.machine import machine


def machine_of(folder: Path) -> dict[str, str]:
    """Describe the machine. `folder` is where the servers keep their data."""
    gib = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1024**3
    kind = file_system_of(folder, Path("/proc/mounts").read_text())
    return machine() | {"memory": f"{gib:.0f} GiB", "file system of the data": kind}


def file_system_of(folder: Path, mounts: str) -> str:
    """Return the type of the file system that a folder is on, by the mount point that is its nearest parent."""
    points = [line.split()[1:3] for line in mounts.splitlines()]
    above = [(point, kind) for point, kind in points if folder.resolve().is_relative_to(point)]
    return max(above, key=lambda one: len(one[0]))[1]
