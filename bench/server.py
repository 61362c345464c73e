"""What the kernel says of the relay's process."""

from pathlib import Path

from bench.beside import kernel
from tools.embedded import EmbeddedRelay


def peak_mib(process: int | str = "self") -> float:
    """Return the most memory that a process ever had resident."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


class MeasuredRelay(EmbeddedRelay):
    """The embedded relay, watched from outside."""

    def cpu_seconds(self) -> float:
        """Return user and system time so far."""
        return kernel.cpu_seconds([self.pid])

    def resident_mib(self) -> float:
        """Return resident memory."""
        return kernel.resident_mib([self.pid])

    def database_bytes(self) -> int:
        """Return the length of the metadata store's file, its log apart."""
        return (self.folder / "relay.sqlite3").stat().st_size
