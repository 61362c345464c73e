"""A run's tables, in Markdown: all of them for bench/results/lambda.md, some for docs/operations.md."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from bench.on_lambda import bills, prices
from bench.on_lambda.bills import HOURLY, Run
from bench.on_lambda.prices import MILLION

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"
BEGIN, END = "<!-- costs: written by `make bench-lambda` -->\n", "<!-- end of costs -->\n"
MIB = 1024 * 1024
LAMBDA_BYTES = 6 * MIB
"""What Lambda takes of an event, and of a response, called synchronously."""
GATEWAY_BYTES = 10 * MIB
"""What API Gateway takes of a body, either way."""
BUDGET = 1.3


def with_costs(page: str, run: Run) -> str:
    """Return the page with the tables of a run. Raises ValueError where it has no place for them."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the page lacks its markers: {BEGIN.strip()} … {END.strip()}")
    return f"{before}{BEGIN}{costs(run)}{END}{after}"


def costs(run: Run) -> str:
    """Return what docs/operations.md shows."""
    best = best_memory(run)
    parts = (about(run), _bills(run, best), _household(run, best), _memory(run, best), _payloads(run))
    return "\n" + "\n".join(parts) + "\n"


def report(run: Run) -> str:
    """Return all tables of a run."""
    best = best_memory(run)
    parts = (
        "# The relay on Lambda\n",
        f"By `make bench-lambda`; [ADR 0023](../../docs/adr/0023-measured-on-lambda.md) says how.\n\n{about(run)}",
        f"## Cold starts\n\n{_starts(run)}\n![cold starts](lambda.svg)\n",
        f"## Warm requests\n\n{_requests(run)}",
        f"## Memory and layer\n\n{_peaks(run)}",
        f"## Payloads\n\n{_payloads(run)}",
        f"## Costs\n\n{_bills(run, best)}\n{_household(run, best)}",
        f"## Memory settings\n\n{_memory(run, best)}",
    )
    return "\n".join(parts)


def best_memory(run: Run) -> int:
    """Return the best setting for a household's requests."""
    return prices.best_memory(bills.household(run), bills.peak_mib(run))


def about(run: Run) -> str:
    """Return what the run was made on."""
    machine = run["machine"]
    starts = min(one["init_ms"]["count"] for one in run["starts"]["routes"].values())
    calls = min(one["cpu_ms"]["count"] for name, one in run["requests"].items() if name != "maintenance")
    return (
        f"Measured on {machine['date']}: {machine['cpu']}, "
        f"{machine['kernel']}, {machine['runtime']}; {starts} starts of each route, {calls} warm calls of each.\n"
    )


def _starts(run: Run) -> str:
    floors = run["starts"]["floors"]
    rows = []
    for name, one in run["starts"]["routes"].items():
        imports, clients = floors[one["imports"]], floors[one["imports_and_clients"]]
        ratios = (
            ratio(one, imports, "init_cpu_ms"),
            start_ratio(run, name),
            ratio(one, imports, "cpu_ms"),
            ratio(one, clients, "cpu_ms"),
        )
        rows.append([name, one["function"], *_taken_by(one), *(f"{value:.2f}" for value in ratios)])
    rows += [[f"*floor: {name}*", "", *_taken_by(one), "", "", "", ""] for name, one in floors.items()]
    head = ["first request", "function", "INIT", "request", "both", "INIT, CPU", "both, CPU"]
    head += ["INIT ÷ imports", "**start ÷ imports**", "both ÷ imports", "both ÷ imports and clients"]
    over = [name for name in run["starts"]["routes"] if start_ratio(run, name) > BUDGET]
    found = f"The budget is {BUDGET} for the start. Over it: {', '.join(over) or 'none'}."
    return f"{table(head, rows)}\n{_RATIOS_ARE} {found}\n"


_RATIOS_ARE = """\
Milliseconds, p50 / p99 by the emulator; of the processor p50. The last four columns are processor times by the
floor's, the least of each: of INIT; of the start, which is both without what the same request takes warm (of the hourly
run, whose work is never the same, INIT alone); of both; and of both by the floor that makes botocore's clients, too."""


def start_ratio(run: Run, name: str) -> float:
    """Return how many times the floor of its imports a route's start takes, without what its request takes warm."""
    one, warm = run["starts"]["routes"][name], run["requests"][name]
    floor = run["starts"]["floors"][one["imports"]]
    if one["route"] == HOURLY:
        return ratio(one, floor, "init_cpu_ms")
    return float((one["cpu_ms"]["least"] - warm["cpu_ms"]["least"]) / floor["cpu_ms"]["least"])


def _taken_by(one: Run) -> list[str]:
    cpu = (f"{one[figure]['p50']:.0f}" for figure in ("init_cpu_ms", "cpu_ms"))
    return [*(_both(one[figure]) for figure in ("init_ms", "first_ms", "sum_ms")), *cpu]


def ratio(one: Run, floor: Run, figure: str) -> float:
    """Return how many times the floor a start takes: by the least of each, which is what other work disturbed least."""
    return float(one[figure]["least"] / floor[figure]["least"])


def _requests(run: Run) -> str:
    rows = []
    for name, one in run["requests"].items():
        cost = run["units"].get(name, {})
        units = [f"{cost[figure]:g}" if cost else "" for figure in ("writes", "reads", "trips")]
        row = [name, one["route"], _both(one["cpu_ms"], 1), _both(one["duration_ms"], 1), *units]
        rows.append([*row, f"{one['response_body_bytes']:,}"])
    head = ["request", "route", "CPU, ms", "duration, ms", "write units", "read units", "trips", "bytes answered"]
    return table(head, rows) + "\np50 / p99. The limiter's units and trips are among them.\n"


def _peaks(run: Run) -> str:
    names = ("first_mib", "warm_mib", "after_largest_mib")
    rows = [[group, *(f"{memory[name]:.0f}" for name in names)] for group, memory in run["memory"].items()]
    layer = run["layer"]
    return (
        table(["function", "after its first request", "after all requests", "after the largest"], rows)
        + "\nMiB, the most that was ever resident (VmHWM of the runtime's process).\n\n"
        f"The layer: {layer['files']:,} files, {layer['unzipped_bytes'] / MIB:.1f} MiB unzipped of the 250 that Lambda "
        f"takes, {layer['zip_bytes'] / MIB:.1f} MiB as a zip.\n"
    )


def _payloads(run: Run) -> str:
    rows = []
    for one in run["payloads"]:
        for way, name in (("request", "event"), ("response", "response")):
            body, whole = one[f"{way}_body_bytes"], one[f"{way}_bytes"]
            if body >= MIB:
                row = [f"{one['what']}: {name}", f"{body:,}", f"{whole:,}", f"{whole / body:.2f}"]
                rows.append([*row, f"{LAMBDA_BYTES - whole:,}", f"{GATEWAY_BYTES - body:,}"])
    head = ["bytes", "body", "as Lambda takes it", "factor", f"left of Lambda's {LAMBDA_BYTES:,}"]
    return table([*head, f"left of the gateway's {GATEWAY_BYTES:,}"], rows)


def _bills(run: Run, memory_mib: int) -> str:
    rows = []
    for name in run["units"]:
        taken = bills.taken(run, name)
        one, other = (prices.bill(taken, memory_mib, architecture) for architecture in ("arm64", "x86_64"))
        columns = (one.store, one.api, one.function, other.function, one.beside, one.total)
        figures = [f"{column * MILLION:.2f}" for column in columns]
        rows.append([name, run["requests"][name]["route"], f"{taken.writes:g}, {taken.reads:g}", *figures])
    head = ["a million of", "route", "units: write, read", "DynamoDB, S3", "API", "Lambda, arm64", "x86_64"]
    return table([*head, "out, logs", "USD, arm64"], rows)


def _household(run: Run, memory_mib: int) -> str:
    requests, stored = bills.household_month(run, memory_mib)
    pulls = bills.PULLS_EMPTY + bills.PULLS_NEW
    stack = f"{bills.SECRETS} secrets, {bills.ALARM_METRICS} metrics with alarms, 1 dashboard"
    rows = [
        [f"{bills.PUSHES} pushes, {pulls} pulls", f"{requests:.2f}"],
        ["stored", f"{stored:.2f}"],
        [f"the stack itself: {stack}", f"{bills.stack_month():.2f}"],
    ]
    return table(["a household and month", "USD"], rows)


def _memory(run: Run, best: int) -> str:
    household, push = bills.household(run), bills.taken(run, "push, 1 change of 1 KB")
    page = bills.taken(run, "pull, 100 changes of 1 KB")
    rows = []
    for memory in prices.SETTINGS_MIB:
        times = (
            prices.warm_ms(push, memory),
            prices.warm_ms(page, memory),
            prices.cold_ms(push, memory),
            prices.mean_ms(household, memory),
        )
        figures = [f"{time:.0f}" for time in times]
        money = [f"{prices.function_bill(household, memory, kind) * MILLION:.2f}" for kind in ("arm64", "x86_64")]
        money.append(f"{prices.bill(household, memory).total * MILLION:.2f}")
        name = f"**{memory} MB**" if memory == best else f"{memory} MB"
        rows.append([name, f"{prices.processor_share(memory):.2f}", *figures, *money])
    head = ["memory", "of a processor", "push, ms", "pull of 100, ms", "cold push, ms", "a household's request, ms"]
    return table([*head, "Lambda, arm64", "x86_64", "all, arm64"], rows)


def _both(one: Run, digits: int = 0) -> str:
    return f"{one['p50']:.{digits}f} / {one['p99']:.{digits}f}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)
