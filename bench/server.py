"""What the kernel says of the relay's process."""

import os
from pathlib import Path

from tools.embedded import EmbeddedRelay

_TICKS = os.sysconf("SC_CLK_TCK")
_MIB = 1024 * 1024


def peak_mib(process: int | str = "self") -> float:
    """Return the most memory that a process ever had resident."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


class MeasuredRelay(EmbeddedRelay):
    """The embedded relay, watched from outside."""

    def cpu_seconds(self) -> float:
        """Return user and system time so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def resident_mib(self) -> float:
        """Return resident memory."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / _MIB

    def database_bytes(self) -> int:
        """Return the length of the metadata store's file, its log apart."""
        return (self.folder / "relay.sqlite3").stat().st_size
