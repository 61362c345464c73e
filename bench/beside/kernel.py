"""What the kernel says of processes and files: CPU, memory, disk."""

import os
from collections.abc import Iterable
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
MIB = 1024 * 1024
BLOCK_BYTES = 512
"""What `st_blocks` counts in, whatever the file system's own block is."""


def ticks_in(stat: str) -> int:
    """Return the CPU ticks in a `/proc/…/stat`: user and system, its own and those of children that it waited for.

    The process's name, in parentheses, may hold blanks and parentheses of its own.
    """
    fields = stat.rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15])


def cpu_seconds(processes: Iterable[int]) -> float:
    """Return the CPU time of processes, of all their threads, and of children that have ended."""
    return sum(ticks_in(Path(f"/proc/{process}/stat").read_text()) for process in processes) / TICKS_PER_SECOND


def resident_mib(processes: Iterable[int]) -> float:
    """Return resident memory. What processes share counts once for each."""
    statm = (Path(f"/proc/{process}/statm").read_text() for process in processes)
    return sum(int(text.split()[1]) for text in statm) * PAGE_BYTES / MIB


def disk_bytes(folder: Path) -> int:
    """Return what the files below a folder take on the disk, logs and indexes included."""
    return sum(path.stat().st_blocks * BLOCK_BYTES for path in folder.rglob("*") if path.is_file())
