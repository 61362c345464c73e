"""Draws bench/results/scale-*.png and .svg from scale.json: `python -m bench.scale.plots`, by `.bench/`'s Python."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.scale.results import FOLDER, read

mpl.use("Agg")
mpl.rcParams["svg.hashsalt"] = "scale"  # the same figures are the same file
WIDE, HIGH = 10, 4


def main() -> None:
    """Draw what was measured."""
    results = read()
    grown: dict[str, Any] = {name: results[name] for name in ("growth", "ten-million") if name in results}
    if grown:
        _save(_growth(grown), FOLDER / "scale-growth")
    if "retention" in results:
        _save(_retention(results["retention"]["runs"]), FOLDER / "scale-retention")


def _growth(grown: dict[str, Any]) -> Figure:
    figure, axes = plt.subplots(1, 2, figsize=(WIDE, HIGH), layout="constrained")
    for what, title, one in zip(("cpu_ms", "pages_read"), ("CPU, ms", "pages read"), axes, strict=True):
        for (part, figures), style in zip(grown.items(), ("-o", ":s"), strict=False):
            points = figures["points"]
            for index, name in enumerate(points[-1]["costs"]):
                with_it = [point for point in points if name in point["costs"]]
                label = name if part == next(iter(grown)) else None
                sizes = [point["changesets"] for point in with_it]
                one.plot(
                    sizes, [point["costs"][name][what] for point in with_it], style, color=f"C{index}", label=label
                )
        _dress(one, f"{title}, of a request", "changesets in the vault")
        one.set_xscale("log")
    axes[0].legend(fontsize=7)
    return figure


def _retention(runs: list[dict[str, Any]]) -> Figure:
    figure, axes = plt.subplots(len(runs), 1, figsize=(WIDE, 2 * len(runs)), layout="constrained", sharey=True)
    for run, one in zip(runs, axes, strict=True):
        seconds = run["seconds"]
        for name in ("p50_ms", "p99_ms", "max_ms"):
            one.plot(range(len(seconds)), [second.get(name) for second in seconds], label=name.removesuffix("_ms"))
        started = run["started_at_second"]
        one.axvspan(started, started + run["retention_seconds"], alpha=0.15, label="retention")
        _dress(one, f"pushes while {run['by']} prunes, {run['loop']} loop: ms", "seconds")
        one.set_yscale("log")
    axes[0].legend(fontsize=7)
    return figure


def _dress(axes: Axes, title: str, below: str) -> None:
    axes.set_title(title, fontsize=9)
    axes.set_xlabel(below, fontsize=8)
    axes.set_ylim(bottom=0 if axes.get_yscale() == "linear" else None)
    axes.grid(alpha=0.3)


def _save(figure: Figure, path: Path) -> None:
    for suffix, metadata in (("png", {"Software": None}), ("svg", {"Date": None})):
        figure.savefig(path.with_suffix(f".{suffix}"), dpi=110, metadata=metadata)
    plt.close(figure)


if __name__ == "__main__":
    main()
