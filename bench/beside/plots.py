"""The results as pictures, PNG and SVG, by matplotlib."""

from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from bench.beside.report import Results, push_floor_ms

mpl.use("Agg")
mpl.rcParams["svg.hashsalt"] = "beside"  # the same figures are the same file
BAR = 0.8


def draw(results: Results, folder: Path) -> None:
    """Write the pictures."""
    closed = [one for one in results["figures"] if one.get("loop") == "closed" and "cannot" not in one]
    opened = [one for one in results["figures"] if one.get("loop") == "open"]
    _bars(folder / "beside-rate", "requests a second, closed loop (logarithmic)", closed, ["per_second"])
    _bars(
        folder / "beside-cpu",
        "server CPU, ms per request (logarithmic)",
        closed,
        ["cpu_seconds_per_1000"],
        push_floor_ms(results),
    )
    told = "latency in an open loop, ms (logarithmic): p50, p95, p99, dark to light"
    _bars(folder / "beside-latency", told, opened, ["p99_ms", "p95_ms", "p50_ms"])


def _bars(path: Path, title: str, figures: list[Results], names: list[str], floor: float | None = None) -> None:
    """Draw a group of bars for each piece of work, a colour for each server, values drawn over one another."""
    works = list(dict.fromkeys(one["work"] for one in figures))
    relays = list(dict.fromkeys(one["relay"] for one in figures))
    drawn, axes = plt.subplots(figsize=(9, 1 + 0.5 * len(works)), layout="constrained")
    for index, relay in enumerate(relays):
        mine = [one for one in figures if one["relay"] == relay]
        for depth, name in enumerate(names):
            axes.barh(
                [works.index(one["work"]) + BAR * ((index + 0.5) / len(relays) - 0.5) for one in mine],
                [one[name] for one in mine],
                height=BAR / len(relays),
                color=f"C{index}",
                alpha=(depth + 1) / len(names),
                label=relay if depth == len(names) - 1 else None,
            )
    if floor is not None:
        axes.axvline(floor, color="black", linestyle="--", label="floor of a push")
    _dress(axes, title, works)
    for suffix, metadata in (("png", {"Software": None}), ("svg", {"Date": None})):
        drawn.savefig(path.with_suffix(f".{suffix}"), dpi=110, metadata=metadata)
    plt.close(drawn)


def _dress(axes: Axes, title: str, works: list[str]) -> None:
    axes.set_xscale("log")
    axes.set_yticks(range(len(works)), works, fontsize=8)
    axes.invert_yaxis()
    axes.grid(axis="x", which="both", alpha=0.3)
    axes.set_title(title, fontsize=10)
    axes.legend(fontsize=8)
