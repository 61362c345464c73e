"""How much of everything: the whole run, and a quick one to try things."""

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True)
class Plan:
    """Counts of requests, each bounded by a time, too: what a slow server did until then is what is told."""

    name: str
    alone: int
    """Pushes, or pulls, at one connection."""
    crowd: int
    """Pushes at twenty."""
    ingest: int
    """Changesets that are ingested in batches of 100, and then pulled afresh."""
    walks: int
    deep: int
    """Changesets in one vault, before it is pushed to and pulled from again."""
    large: int
    """Changesets of 1 MiB."""
    snapshot_bytes: int
    traced: int
    """Pushes whose system calls are looked at."""
    most_seconds: float
    """For one closed loop."""
    fill_seconds: float
    """For filling the deep vault."""
    open_seconds: float
    floor_seconds: float
    connections: int = 20
    batch: int = 100
    warm_up: int = 1_000
    """Requests of a kind before it is measured, at most `warm_seconds` of them: runtimes compile what runs often."""
    warm_seconds: float = 2.0
    shares: tuple[float, ...] = (0.5, 0.8)
    """Of what the closed loop did a second: the rates of open loops."""
    same_rate: float = 100.0
    """Of an open loop that is the same for all, a second."""


FULL = Plan(
    name="full",
    alone=2_000,
    crowd=10_000,
    ingest=10_000,
    walks=5,
    deep=100_000,
    large=20,
    snapshot_bytes=100_000_000,
    traced=100,
    most_seconds=10,
    fill_seconds=120,
    open_seconds=5,
    floor_seconds=2,
)
QUICK = Plan(
    name="quick",
    alone=200,
    crowd=1_000,
    ingest=1_000,
    walks=2,
    deep=3_000,
    large=5,
    snapshot_bytes=10_000_000,
    traced=30,
    most_seconds=3,
    fill_seconds=15,
    open_seconds=1,
    floor_seconds=0.5,
)
