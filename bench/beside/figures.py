"""Figures: what a run gives, in the form that is written to the results."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from bench.beside.pace import Outcome
from bench.percentiles import percentile


@dataclass(frozen=True)
class Figure:
    """A line of the table: one relay at one piece of work. `cannot` says why there are no figures."""

    work: str
    relay: str
    cannot: str | None = None
    loop: str = "closed"
    requests: int = 0
    asked: int = 0
    """How many requests there would have been, had the time sufficed."""
    offered_per_second: float | None = None
    """The schedule's rate, in an open loop."""
    seconds: float = 0.0
    per_second: float = 0.0
    p50_ms: float = 0.0
    p95_ms: float = 0.0
    p99_ms: float = 0.0
    cpu_seconds_per_1000: float = 0.0
    """CPU seconds of all of the server's processes per 1,000 requests."""
    generator_cpu_share: float = 0.0
    """The load generator's CPU, of one core."""

    bulk_seconds: float | None = None
    """Where the work is one whole (an ingest, a fresh pull, a snapshot): how long all of it took."""
    bulk_cpu_seconds: float | None = None

    def as_bulk(self, parts: int) -> "Figure":
        """Tell also what one whole took, which is that many requests; nothing, where it was not done in time."""
        if self.requests < self.asked:
            return self
        share = parts / self.requests
        cpu_seconds = self.cpu_seconds_per_1000 * parts / 1e3
        return replace(self, bulk_seconds=self.seconds * share, bulk_cpu_seconds=cpu_seconds)

    def as_json(self) -> dict[str, Any]:
        """Return what is to be told, rounded to four digits."""
        return {name: _rounded(value) for name, value in asdict(self).items() if value is not None}


def figure_of(
    work: str, relay: str, outcome: Outcome, *, server_cpu: float, own_cpu: float, offered: float | None = None
) -> Figure:
    """Return the figures of an outcome. CPU is in seconds."""
    requests = len(outcome.latencies)
    return Figure(
        work=work,
        relay=relay,
        loop="closed" if offered is None else "open",
        requests=requests,
        asked=outcome.asked,
        offered_per_second=offered,
        seconds=outcome.seconds,
        per_second=outcome.rate,
        p50_ms=percentile(outcome.latencies, 50) * 1e3,
        p95_ms=percentile(outcome.latencies, 95) * 1e3,
        p99_ms=percentile(outcome.latencies, 99) * 1e3,
        cpu_seconds_per_1000=server_cpu / requests * 1e3,
        generator_cpu_share=own_cpu / outcome.seconds,
    )


def _rounded(value: object) -> object:
    return float(f"{value:.4g}") if isinstance(value, float) else value
