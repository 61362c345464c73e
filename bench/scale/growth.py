"""What a request costs as one vault grows, on SQLite."""

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.guard.counting import count_in_handlers
from bench.guard.measures import Measure
from bench.guard.trees import CHECKOUT
from bench.household import Household
from bench.scale.filling import fill
from bench.scale.in_process import InProcess
from bench.signed import Request

HOST = "relay.example"
SIZES = (1, 1_000, 10_000, 100_000, 1_000_000)
REQUESTS, COUNTED, WARM = 250, 20, 3
PAGE = 100
SPARE_BYTES = 4 * 2**30


class NoRoom(Exception):
    """The disk has less free than it would take."""


def grow(sizes: Sequence[int], size_bytes: int, told: Callable[[str], None]) -> dict[str, Any]:
    """Fill a vault to each size in turn, with changesets of this many bytes, and measure there. Raises NoRoom.

    Instructions are counted at the largest size and at the first where there is a page to pull.
    """
    ends = {next(size for size in sizes if size >= PAGE), sizes[-1]}
    points: list[dict[str, Any]] = []
    with TemporaryDirectory() as folder:
        needed = sizes[-1] * (size_bytes + 400) + SPARE_BYTES
        if shutil.disk_usage(folder).free < needed:
            raise NoRoom(f"{needed >> 30} GiB are needed where temporary files are made: choose another by TMPDIR")
        relay, household = InProcess(Path(folder)), Household(HOST)
        relay.answer(household.found())
        filled, fill_seconds, fill_cpu_seconds = 0, 0.0, 0.0
        for size in sizes:
            began, cpu_began = time.perf_counter(), time.process_time()
            fill(relay.log, household, size - filled, size_bytes)
            fill_seconds += time.perf_counter() - began
            fill_cpu_seconds += time.process_time() - cpu_began
            points.append(
                {
                    "changesets": size,
                    "database_bytes": relay.database_bytes(),
                    "fill_seconds": round(fill_seconds, 1),
                    "fill_cpu_seconds": round(fill_cpu_seconds, 1),
                    "costs": {
                        name: asdict(relay.cost(requests)) for name, requests in _kinds(household, size, REQUESTS)
                    },
                    "instructions": _instructions(Path(folder), household, size + REQUESTS) if size in ends else None,
                }
            )
            filled = size + REQUESTS + (COUNTED + WARM if points[-1]["instructions"] else 0)
            told(f"{size:,} changesets, filled in {fill_seconds:.0f} s")
        relay.close()
    return {"size_bytes": size_bytes, "requests": REQUESTS, "points": points}


def _instructions(folder: Path, household: Household, size: int) -> dict[str, float] | None:
    """Return how many instructions each kind of request takes, where they can be counted."""
    if shutil.which("valgrind") is None:
        return None
    kinds = _kinds(household, size, COUNTED + WARM)
    measures = [Measure(name, requests[:WARM], requests[WARM:]) for name, requests in kinds]
    counts = count_in_handlers(CHECKOUT, folder, measures)
    return {name.partition(": ")[2]: round(count.instructions) for name, count in counts.items()}


def _kinds(household: Household, size: int, count: int) -> Iterator[tuple[str, list[Request]]]:
    """Yield each kind of request, so many of it. A page is of 100: a vault of fewer is not pulled from."""
    pushes = [household.push() for _ in range(count)]
    yield "push of 1 KB", pushes
    yield "the same, sent again", [replace(each, expected=200) for each in pushes]
    head = size + count
    if size >= PAGE:
        yield "pull of 100 at the start", [household.pull(0)] * count
        yield "pull of 100 in the middle", [household.pull(size // 2)] * count
        yield "pull of 100 at the end", [household.pull(size - PAGE)] * count
    yield "pull, nothing new", [household.pull(head)] * count
    yield "vault", [household.look()] * count
