"""The kernel's accounting of a function's process, and what many measurements come to."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.percentiles import percentile
from tools.processes import descendants_of

_NANOSECONDS_IN_MS = 1_000_000


@dataclass(frozen=True)
class Spread:
    """Of many measurements of one thing: the least, the 50th and the 99th percentile, and how many there were."""

    least: float
    p50: float
    p99: float
    count: int


def spread(values: Iterable[float]) -> Spread:
    """Return what the values come to. There has to be one."""
    ordered = sorted(values)
    return Spread(
        round(ordered[0], 2), round(percentile(ordered, 50), 2), round(percentile(ordered, 99), 2), len(ordered)
    )


def last_descendant(process_id: int) -> int:
    """Return the process that this one's only child's only child … is: in a function's instance, the runtime."""
    return next(iter(descendants_of(process_id)), process_id)


def cpu_ms(process_id: int) -> float:
    """Return the processor time that a process' threads have had, of those that have not ended, in milliseconds."""
    tasks = Path(f"/proc/{process_id}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / _NANOSECONDS_IN_MS
