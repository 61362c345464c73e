"""Ten thousand vaults on one embedded relay, beside one vault on another: CPU and memory of the server."""

import asyncio
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.household import Household
from bench.links import ask_all
from bench.server import MeasuredRelay

VAULTS, PUSHES, AT_ONCE, CONNECTIONS = 10_000, 30_000, 5_000, 20
VARIABLES = {"RELAY_RATE_LIMIT": "1000000000/60"}  # it counts, and lets all through


def spread(told: Callable[[str], None], vaults: int = VAULTS, pushes: int = PUSHES) -> dict[str, Any]:
    """Push as much to one vault as to so many in turn; return what the server took for each."""
    runs = []
    for count in (1, vaults):
        with TemporaryDirectory() as folder, MeasuredRelay(Path(folder), **VARIABLES) as relay:
            runs.append({"vaults": count} | _run(relay, count, pushes))
        told(str(runs[-1]))
    return {"pushes": pushes, "connections": CONNECTIONS, "runs": runs}


def _run(relay: MeasuredRelay, vaults: int, pushes: int) -> dict[str, float]:
    households = [Household(f"127.0.0.1:{relay.port}") for _ in range(vaults)]
    start_mib = relay.resident_mib()
    cpu_ms = _cpu_ms_each(relay, [each.found().as_bytes() for each in households])
    founded_mib = relay.resident_mib()
    _cpu_ms_each(relay, [households[number % vaults].push().as_bytes() for number in range(1_000)])  # warm
    push_ms = [
        _cpu_ms_each(relay, [households[number % vaults].push().as_bytes() for number in numbers])
        for numbers in _parts(range(pushes), AT_ONCE)
    ]
    return {
        "resident_mib_at_start": round(start_mib, 1),
        "resident_mib_founded": round(founded_mib, 1),
        "resident_mib_pushed": round(relay.resident_mib(), 1),
        "cpu_ms_per_founding": round(cpu_ms, 3),
        "cpu_ms_per_push": round(sum(push_ms) / len(push_ms), 3),
        "cpu_ms_per_push_least": round(min(push_ms), 3),
        "database_bytes": relay.database_bytes(),
    }


def _cpu_ms_each(relay: MeasuredRelay, requests: Sequence[bytes]) -> float:
    before = relay.cpu_seconds()
    asyncio.run(ask_all(relay.port, requests, CONNECTIONS))
    return (relay.cpu_seconds() - before) / len(requests) * 1000


def _parts(numbers: Sequence[int], size: int) -> list[list[int]]:
    pending = iter(numbers)
    return [list(islice(pending, size)) for _ in range(0, len(numbers), size)]
