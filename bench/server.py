"""A relay of its own process, and what the kernel says of it."""

import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

_TICKS = os.sysconf("SC_CLK_TCK")
_MIB = 1024 * 1024


class RunningRelay:
    """The embedded relay in a folder of its own, on a free port, without rate limits; stopped at the end."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> Self:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("RELAY_")}
        environment |= {"RELAY_DATA_DIR": str(self._folder), "RELAY_PORT": "0", "RELAY_RATE_LIMIT": "off"}
        command = [sys.executable, "-m", "local.cli", "serve"]
        self._process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        line = next(line for line in self._process.stdout if "http://" in line)
        self.port = int(line.rsplit(":", 1)[1])
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._process.terminate()
        self._process.communicate(timeout=30)

    def cpu_seconds(self) -> float:
        """Return user and system time so far."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def resident_mib(self) -> float:
        """Return resident memory."""
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / _MIB

    def database_bytes(self) -> int:
        """Return the length of the metadata store's file, its log apart."""
        return (self._folder / "relay.sqlite3").stat().st_size
