"""The relay's handlers in this process, on SQLite, and what their answers take."""

import gc
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.signed import Request
from relay.adapters.sqlite import SqliteLimiter, SqliteLog
from relay.config import Settings
from relay.http import changesets, devices, vaults
from relay.http.gateway import Endpoints, handle
from relay.http.routes import resolve
from relay.wiring import build

GROUPS: dict[str, Endpoints] = {
    "changesets": changesets.ENDPOINTS,
    "devices": devices.ENDPOINTS,
    "vaults": vaults.ENDPOINTS,
}
VARIABLES = {
    "RELAY_RATE_LIMIT": "1000000000/60",  # it counts, and lets all through
    "RELAY_MAX_BATCH": "1000",
    "RELAY_MAX_VAULT_BYTES": str(10**12),
}
PAGE_BYTES = 4096
BLOCKS = 5


@dataclass(frozen=True)
class Cost:
    """Of one request: the CPU's time by the kernel's accounting, in the quickest of five blocks; pages by the mean.

    Pages are those that SQLite asked the kernel for, or gave to it: what it found in its own cache is not among them.
    """

    cpu_ms: float
    pages_read: float
    pages_written: float


class InProcess:
    """A relay on stores in a folder; SQLite is opened by the first request."""

    def __init__(self, folder: Path) -> None:
        built = build(Settings.from_environment(VARIABLES | {"RELAY_DATA_DIR": str(folder)}))
        self.log, self._limiter = SqliteLog(folder / "relay.sqlite3"), SqliteLimiter(folder / "limiter.sqlite3")
        self._relay = replace(built, log=self.log, limiter=self._limiter)  # those that can be closed
        self.folder = folder

    def answer(self, request: Request) -> dict[str, Any]:
        """Answer one. Raises AssertionError where it is not answered as expected."""
        return self._handle(request, request.as_event())

    def cost(self, requests: Sequence[Request]) -> Cost:
        """Answer each, and return what one took."""
        events = [(request, request.as_event()) for request in requests]
        size = len(events) // BLOCKS
        assert size > 0
        gc.collect()
        gc.freeze()
        before, block_ms = _pages(), []
        for start in range(0, size * BLOCKS, size):
            began = time.process_time_ns()
            for request, event in events[start : start + size]:
                self._handle(request, event)
            block_ms.append((time.process_time_ns() - began) / size / 1e6)
        read, written = (now - then for now, then in zip(_pages(), before, strict=True))
        return Cost(round(min(block_ms), 4), round(read / size / BLOCKS, 2), round(written / size / BLOCKS, 2))

    def database_bytes(self) -> int:
        """Return the length of the file and its log."""
        return sum(path.stat().st_size for path in self.folder.glob("relay.sqlite3*"))

    def close(self) -> None:
        """Close the stores. The log is moved into the file."""
        self.log.close()
        self._limiter.close()

    def _handle(self, request: Request, event: dict[str, Any]) -> dict[str, Any]:
        answer = handle(self._relay, GROUPS[resolve(request.path)[0].group], event)
        assert answer["statusCode"] == request.expected, answer["body"]
        return dict(answer)


def _pages() -> tuple[float, float]:
    """Return how much this process has read and written by system calls."""
    lines = Path("/proc/self/io").read_text().splitlines()
    counts = {name: int(value) for name, value in (line.split(": ") for line in lines)}
    return counts["rchar"] / PAGE_BYTES, counts["wchar"] / PAGE_BYTES
