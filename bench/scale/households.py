"""What very many households cost on AWS, and which quota they meet first, on paper: `python -m bench.scale.households`.

Units are those that `make bench-dynamodb` counts, which do not grow with a vault. Prices, quotas and times are
assumptions: list prices of eu-central-1 without free tiers or discounts for volume, and default quotas, as remembered
in November 2026.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bench.on_lambda import bills
from bench.on_lambda.bills import BUCKET_GB, SNAPSHOTS_GB_OUT, TABLE_GB
from bench.on_lambda.prices import (
    API_REQUEST,
    BUCKET_GB_MONTH,
    GB,
    LAMBDA_GB_SECOND,
    LAMBDA_REQUEST,
    LOG_GB,
    LOGGED_BYTES,
    MILLION,
    OUT_GB,
    READ_UNIT,
    TABLE_GB_MONTH,
    WRITE_UNIT,
)

MONTH_SECONDS = 30 * 24 * 3600
PEAK = 3
"""All use it in the same eight hours of a day."""


@dataclass(frozen=True)
class Kind:
    """Requests of a kind in a household's month, and what one takes of each table and goes out with it."""

    a_month: int
    log_writes: int
    log_reads: int
    bytes_out: int
    limiter_writes: int = 1


PUSHES = Kind(bills.PUSHES, log_writes=3, log_reads=3, bytes_out=400)
PULLS_EMPTY = Kind(bills.PULLS_EMPTY, log_writes=0, log_reads=7, bytes_out=400)
PULLS_NEW = Kind(bills.PULLS_NEW, log_writes=0, log_reads=6, bytes_out=1_800)
KINDS = (PUSHES, PULLS_EMPTY, PULLS_NEW)

BILLED_SECONDS, MEMORY_GB = 0.05, 1.0

# Retention's run looks into each vault, whatever there is to do: measured, by the difference that three vaults make
VAULT_READS, VAULT_TRIPS = 10, 6
TRIP_SECONDS, RUN_SECONDS = 0.005, 14 * 60


@dataclass(frozen=True)
class Quota:
    """What AWS allows by default, a second or at once, and what one household takes of it on average."""

    name: str
    allowed: float
    a_household: float

    @property
    def households(self) -> float:
        """How many meet it when all use it at once."""
        return self.allowed / (self.a_household * PEAK)


def bill() -> dict[str, float]:
    """Return a household's month in US dollars, by what it is for."""
    requests = sum(kind.a_month for kind in KINDS)
    writes = sum(kind.a_month * (kind.log_writes + kind.limiter_writes) for kind in KINDS)
    reads = sum(kind.a_month * kind.log_reads for kind in KINDS)
    out_gb = sum(kind.a_month * kind.bytes_out for kind in KINDS) / GB + SNAPSHOTS_GB_OUT
    return {
        "API Gateway": requests * API_REQUEST,
        "Lambda": requests * (LAMBDA_REQUEST + BILLED_SECONDS * MEMORY_GB * LAMBDA_GB_SECOND["arm64"]),
        "DynamoDB, units": writes * WRITE_UNIT + reads * READ_UNIT,
        "stored: 20 MB in the table, 50 MB of snapshots": TABLE_GB * TABLE_GB_MONTH + BUCKET_GB * BUCKET_GB_MONTH,
        "bytes out, log lines": out_gb * OUT_GB + requests * LOGGED_BYTES / GB * LOG_GB,
    }


def quotas() -> list[Quota]:
    """Return the quotas, the one that is met first at the top."""
    requests = _a_second(lambda kind: kind.a_month)
    found = [
        Quota("API Gateway: 10,000 requests a second of a region", 10_000, requests),
        Quota("Lambda: 1,000 instances at once", 1_000, requests * BILLED_SECONDS),
        Quota("Lambda: 10 requests a second of each of 1,000 instances", 10_000, requests),
        Quota("DynamoDB: 40,000 read units a second of the log's table", 40_000, _a_second(_log_reads)),
        Quota("DynamoDB: 40,000 write units a second of the log's table", 40_000, _a_second(_log_writes)),
        Quota("DynamoDB: 40,000 write units a second of the limiter's table", 40_000, requests),
    ]
    return sorted(found, key=lambda quota: quota.households)


def lines() -> Iterator[str]:
    """Yield both tables, in Markdown."""
    yield "| a month, USD | a household | a million |"
    yield "|---|---|---|"
    total = 0.0
    for name, dollars in bill().items():
        yield f"| {name} | {dollars:.4f} | {dollars * MILLION:,.0f} |"
        total += dollars
    yield f"| all | {total:.4f} | {total * MILLION:,.0f} |"
    yield ""
    yield "| quota | a million take, on average | in the peak | met by, households |"
    yield "|---|---|---|---|"
    for quota in quotas():
        mean = quota.a_household * MILLION
        yield f"| {quota.name} | {mean:,.0f} | {mean * PEAK:,.0f} | {_rounded(quota.households):,} |"
    yield ""
    vaults = RUN_SECONDS / (VAULT_TRIPS * TRIP_SECONDS)
    reads = VAULT_READS * MILLION * READ_UNIT
    yield f"Retention: {vaults:,.0f} vaults a run, a million in {MILLION / vaults:.0f} runs, {reads:.2f} USD of reads."


def _a_second(count: Callable[[Kind], int]) -> float:
    return sum(count(kind) for kind in KINDS) / MONTH_SECONDS


def _log_reads(kind: Kind) -> int:
    return kind.a_month * kind.log_reads


def _log_writes(kind: Kind) -> int:
    return kind.a_month * kind.log_writes


def _rounded(households: float) -> int:
    return round(households / 10_000) * 10_000


if __name__ == "__main__":
    print("\n".join(lines()))
