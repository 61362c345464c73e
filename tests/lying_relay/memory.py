"""How much memory something takes: what Python allocates, and on Linux all that the process holds at once."""

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_RESET_PEAK = "5"
_TRACING_BYTES = 64 * 1024 * 1024
"""What tracemalloc itself may take, and other threads."""


@contextmanager
def at_most(peak_bytes: int | None) -> Iterator[None]:
    """See that no more is allocated meanwhile, by anybody in this process; None does not look."""
    if peak_bytes is None:
        yield
        return
    before = _resident_bytes("VmRSS")
    if before is not None:
        _CLEAR.write_text(_RESET_PEAK, "ascii")
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
        most = _resident_bytes("VmHWM")  # also what is not Python's: validation and JSON are in Rust
    finally:
        tracemalloc.stop()
    assert peak <= peak_bytes
    if before is not None and most is not None:
        assert most - before <= 2 * peak_bytes + _TRACING_BYTES


def _resident_bytes(name: str) -> int | None:
    if not _CLEAR.exists():
        return None
    lines = (line.split() for line in _STATUS.read_text("ascii").splitlines())
    return next(int(fields[1]) * 1024 for fields in lines if fields[0] == f"{name}:")
