"""From what a run measured to what requests, a household and a memory setting cost."""

from collections.abc import Mapping
from typing import Any

from bench.on_lambda.prices import (
    ALARM_METRIC_MONTH,
    BUCKET_GB_MONTH,
    DASHBOARD_MONTH,
    OUT_GB,
    SECRET_MONTH,
    TABLE_GB_MONTH,
    Taken,
    bill,
    mixed,
)

Run = Mapping[str, Any]
"""The results, as they are written."""

HOURLY = "hourly"
"""In the place of a route, for maintenance."""
PUTS = {"push, 2 changes of 200 KB": 1, "announce a snapshot": 1}
"""Objects that S3 is sent: a text too large for an item; the blob that the announcement's URL is for."""

# A household: four devices, 100 pushes of one change a day, a pull each five minutes for eight hours a day and device
PUSHES, PULLS_NEW = 100 * 30, 9_000
PULLS_EMPTY = 4 * 96 * 30 - PULLS_NEW
HOUSEHOLD = (
    (PUSHES, "push, 1 change of 1 KB"),
    (PULLS_EMPTY, "pull, nothing new"),
    (PULLS_NEW, "pull, 1 change of 1 KB"),
)
SECRETS, ALARM_METRICS = 2, 14
TABLE_GB, BUCKET_GB, SNAPSHOTS_GB_OUT = 0.02, 0.05, 0.01


def taken(run: Run, name: str) -> Taken:
    """Return what a request takes. Its cold start is that of its route's first request, whatever size that has."""
    warm, cost = run["requests"][name], run["units"][name]
    started = next(one for one in run["starts"]["routes"].values() if one["route"] == warm["route"])
    init_cpu_ms = started["init_cpu_ms"]["p50"]
    return Taken(
        cpu_ms=warm["cpu_ms"]["p50"],
        init_cpu_ms=init_cpu_ms,
        first_cpu_ms=started["cpu_ms"]["p50"] - init_cpu_ms,
        writes=cost["writes"],
        reads=cost["reads"],
        trips=cost["trips"],
        bytes_out=warm["response_body_bytes"],
        puts=PUTS.get(name, 0),
    )


def household(run: Run) -> Taken:
    """Return the average request of a household."""
    return mixed([(count, taken(run, name)) for count, name in HOUSEHOLD])


def household_month(run: Run, memory_mib: int) -> tuple[float, float]:
    """Return US dollars a month for a household's requests, and for what it has stored."""
    requests = sum(count * bill(taken(run, name), memory_mib).total for count, name in HOUSEHOLD)
    stored = TABLE_GB * TABLE_GB_MONTH + BUCKET_GB * BUCKET_GB_MONTH + SNAPSHOTS_GB_OUT * OUT_GB
    return requests, stored


def stack_month() -> float:
    """Return US dollars a month for the stack itself, however many use it."""
    return SECRETS * SECRET_MONTH + ALARM_METRICS * ALARM_METRIC_MONTH + DASHBOARD_MONTH


def peak_mib(run: Run) -> float:
    """Return the most memory that any function ever had."""
    return max(float(mib) for memory in run["memory"].values() for mib in memory.values())
