"""Draws a run's results: `python -m bench.on_lambda.plots`, with matplotlib (.bench/).

Left, what each route's first request takes of a processor, beside its floors; right, what memory buys.
"""

import json
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt

from bench.on_lambda import bills, prices, tables

RESULTS = Path(__file__).parents[1] / "results"
_COLD_KINDS = (("floor: imports", "imports"), ("floor: imports, clients", "imports_and_clients"))


def main() -> None:
    """Read lambda.json, write lambda.svg and lambda.png."""
    run = json.loads((RESULTS / "lambda.json").read_text("utf-8"))
    mpl.use("agg")
    mpl.rcParams.update({"svg.hashsalt": "sync-relay", "font.size": 8})
    figure, (left, right) = plt.subplots(1, 2, figsize=(13, 5.5), layout="constrained")
    _draw_starts(left, run)
    _draw_memory(right, run)
    figure.suptitle(tables.about(run).strip(), fontsize=7)
    figure.savefig(RESULTS / "lambda.svg", metadata={"Date": None})
    figure.savefig(RESULTS / "lambda.png", dpi=120, metadata={"Software": None})


def _draw_starts(axes: Any, run: dict[str, Any]) -> None:  # noqa: ANN401 -- matplotlib's types are of no use here
    routes, floors = run["starts"]["routes"], run["starts"]["floors"]
    names = list(routes)
    inits = [routes[name]["init_cpu_ms"]["p50"] for name in names]
    firsts = [routes[name]["cpu_ms"]["p50"] - init for name, init in zip(names, inits, strict=True)]
    axes.barh(names, inits, label="INIT", color="#4c72b0")
    axes.barh(names, firsts, left=inits, label="first request", color="#9bb7dd")
    for (label, key), mark in zip(_COLD_KINDS, "|d", strict=True):
        places = [floors[routes[name][key]]["cpu_ms"]["p50"] for name in names]
        axes.plot(places, names, mark, color="black", label=label, markersize=7)
    axes.invert_yaxis()
    axes.set(title="A cold start, by its first request", xlabel="processor time, ms (median)")
    axes.legend()


def _draw_memory(axes: Any, run: dict[str, Any]) -> None:  # noqa: ANN401
    household, push = bills.household(run), bills.taken(run, "push, 1 change of 1 KB")
    memory = prices.SETTINGS_MIB
    axes.plot(memory, [prices.warm_ms(push, one) for one in memory], "o-", label="push of 1 KB, warm")
    axes.plot(memory, [prices.cold_ms(push, one) for one in memory], "o-", label="push of 1 KB, cold")
    axes.set(title="What memory buys (a model)", xlabel="memory setting, MB", ylabel="ms", yscale="log")
    money = axes.twinx()
    dollars = [prices.function_bill(household, one) * prices.MILLION for one in memory]
    money.plot(memory, dollars, "s--", color="#c44e52", label="Lambda, a household's requests (right)")
    money.set(ylabel="USD a million, arm64", ylim=(0, max(dollars) * 1.1))
    axes.axvline(tables.best_memory(run), color="grey", linewidth=0.8, linestyle=":")
    lines = [*axes.get_lines()[:2], *money.get_lines()]
    axes.legend(lines, [str(line.get_label()) for line in lines], loc="upper center")


if __name__ == "__main__":
    main()
