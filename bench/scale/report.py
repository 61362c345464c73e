"""Writes bench/results/scale.md from bench/results/scale.json: `python -m bench.scale.report`."""

from collections.abc import Iterator
from typing import Any

from bench.scale.results import FOLDER, Results, read

Figures = dict[str, Any]

PICTURES = {"growth": "scale-growth.svg", "retention": "scale-retention.svg"}
"""By `bench.scale.plots`, of these parts."""


def main() -> None:
    """Write it."""
    (FOLDER / "scale.md").write_text("\n".join(lines(read())) + "\n", "utf-8")


def lines(results: Results) -> Iterator[str]:
    """Yield the page, part by part; a part that was not measured is not there."""
    yield "# What requests cost as stores grow\n"
    yield "By `make bench-scale`; how, and what it shows, is in [ADR 0024](../../docs/adr/0024-guard-and-scale.md)."
    parts = {
        "growth": ("One vault on SQLite, to a million changesets", _growth),
        "ten-million": ("One vault on SQLite, to ten million changesets", _growth),
        "vaults": ("Ten thousand vaults on the embedded relay", _vaults),
        "retention": ("Pushes while retention prunes a million changesets", _retention),
        "dynamodb": ("One vault on DynamoDB: units", _units),
    }
    for name, (title, table) in parts.items():
        if name in results:
            on = results[name]["measured_on"]
            told = f"{on['date']}; {on['cpu']}; {on['kernel']}; Python {on['python']}, SQLite {on['sqlite']}"
            yield f"\n## {title}\n\n{told}. Load before it began: {on['load']}\n"
            yield from table(results[name])
            if name in PICTURES:
                yield f"\n![{title}]({PICTURES[name]})"


def _growth(figures: Figures) -> Iterator[str]:
    points = figures["points"]
    sizes = [f"{point['changesets']:,}" for point in points]
    yield f"Filled by the store's own append, {figures['size_bytes']} bytes a changeset.\n"
    yield from _head("CPU of a request, ms, the quickest of five blocks", sizes)
    for name in points[-1]["costs"]:
        yield _row(name, [_cost(point, name, "cpu_ms") for point in points])
    yield ""
    yield from _head("pages read, pages written", sizes)
    for name in points[-1]["costs"]:
        pairs = [(_cost(point, name, "pages_read"), _cost(point, name, "pages_written")) for point in points]
        yield _row(name, [", ".join(pair) for pair in pairs])
    counted = [point for point in points if point["instructions"]]
    if counted:
        yield ""
        yield from _head("instructions of a request", [f"{point['changesets']:,}" for point in counted])
        for name in counted[-1]["instructions"]:
            yield _row(name, [f"{point['instructions'][name]:,}" for point in counted])
    yield ""
    yield from _head("the store", sizes)
    yield _row("file, MiB", [f"{point['database_bytes'] / 2**20:,.1f}" for point in points])
    yield _row("filled in, s", [f"{point['fill_seconds']:,.0f}" for point in points])
    yield _row("of which CPU, s", [f"{point['fill_cpu_seconds']:,.0f}" for point in points])


def _vaults(figures: Figures) -> Iterator[str]:
    runs = figures["runs"]
    yield f"{figures['pushes']:,} pushes of 1 KB over {figures['connections']} connections.\n"
    yield from _head("", ["1 vault" if run["vaults"] == 1 else f"{run['vaults']:,} vaults" for run in runs])
    yield _row(
        "CPU to found a vault, ms", [f"{run['cpu_ms_per_founding']:,}" if run["vaults"] > 1 else "-" for run in runs]
    )
    for name, title in (
        ("cpu_ms_per_push", "CPU of a push, ms"),
        ("cpu_ms_per_push_least", "the same, in the quickest 5,000"),
        ("resident_mib_at_start", "resident memory at start, MiB"),
        ("resident_mib_founded", "with all vaults founded"),
        ("resident_mib_pushed", "after all pushes"),
    ):
        yield _row(title, [f"{run[name]:,}" for run in runs])


def _retention(figures: Figures) -> Iterator[str]:
    yield f"{figures['changesets']:,} changesets of {figures['size_bytes']} bytes in one vault. Closed loop: "
    yield f"{figures['connections']} connections; open loop: {figures['rate']} pushes a second, latency from when each"
    yield "was due. Milliseconds.\n"
    titles = ["run for, s"]
    phases = ("before", "during", "after")
    titles += [f"{phase}: a second, p50, p99, longest" for phase in phases]
    yield from _head("retention by, loop", titles)
    for run in figures["runs"]:
        spreads = [run["phases"][phase] for phase in phases]
        columns = [", ".join(f"{value:g}" for value in spread.values()) for spread in spreads]
        yield _row(f"{run['by']}, {run['loop']}", [f"{run['retention_seconds']:g}", *columns])


def _units(figures: Figures) -> Iterator[str]:
    points = figures["points"]
    yield "Write units, read units, trips that wait for each other, by what the stand-in tells as `ConsumedCapacity`.\n"
    yield from _head("", [f"{point['changesets']:,}" for point in points])
    for name in points[0]["costs"]:
        costs = [point["costs"][name] for point in points]
        yield _row(name, [f"{cost['writes']:g}, {cost['reads']:g}, {cost['trips']}" for cost in costs])


def _cost(point: Figures, name: str, what: str) -> str:
    return f"{point['costs'][name][what]:g}" if name in point["costs"] else "-"


def _head(first: str, titles: list[str]) -> Iterator[str]:
    yield _row(first, titles)
    yield "|---" * (len(titles) + 1) + "|"


def _row(first: str, columns: list[str]) -> str:
    return f"| {first} | {' | '.join(columns)} |"


if __name__ == "__main__":
    main()
