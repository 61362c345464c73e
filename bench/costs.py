"""What the relay costs on AWS: the units that the store says it consumed, times prices. `python -m bench.costs`.

The units are measured; prices and times are assumptions, below, and are to be looked up before anyone relies on them.
"""

from dataclasses import dataclass

from tests.contract.metered import MeteredVault, metered
from tools.stand_ins.aws import dynamodb_served, s3_served

MILLION = 1_000_000

# US dollars, list prices of eu-central-1 as remembered in November 2026, without free tiers: assumptions
WRITE_UNITS = 0.7625 / MILLION
READ_UNITS = 0.1525 / MILLION
API_REQUESTS = 3.70 / MILLION
LAMBDA_REQUESTS = 0.20 / MILLION
LAMBDA_GB_SECONDS = 0.0000133334  # arm64
S3_PUTS = 5.4 / MILLION
OUT_GB = 0.09
TABLE_GB_MONTHS = 0.306 + 0.2448  # and what recovery to a point in time keeps of it
BUCKET_GB_MONTHS = 0.0245
LOG_GB = 0.63
SECRET_MONTHS = 0.40
ALARM_METRIC_MONTHS = 0.10
DASHBOARD_MONTHS = 3.00

# Assumptions, too: what a function is billed for, and what is written of a request
BILLED_SECONDS = 0.05
MEMORY_GB = 1.0
LOGGED_BYTES = 500
GB = 10**9


@dataclass(frozen=True)
class Requests:
    """Requests of a kind: how they are measured, and the bytes that go out with each."""

    name: str
    measured: str
    bytes_out: int
    puts: int = 0


KINDS = (
    Requests("push, 1 change of 1 KB", "push, 1 KB", 400),
    Requests("push, 100 changes of 1 KB", "push, 100 of 1 KB", 20_000),
    Requests("push, 2 changes of 200 KB", "push, two of 200 KB", 600, puts=1),
    Requests("pull, nothing new", "pull, nothing new", 400),
    Requests("pull, 1 change of 1 KB", "pull, one new", 1_800),
    Requests("pull, 100 changes of 1 KB", "pull, a page of 100 of 1 KB", 150_000),
)

# A household: four devices, 100 pushes of one change a day, a pull each five minutes for eight hours a day and device
PUSHES, PULLS_EMPTY, PULLS_NEW = 100 * 30, 4 * 96 * 30 - 9_000, 9_000
SECRETS, ALARM_METRICS = 2, 14
TABLE_GB, BUCKET_GB, SNAPSHOTS_GB_OUT = 0.02, 0.05, 0.01


@dataclass(frozen=True)
class Prices:
    """Of one request, in US dollars."""

    store: float
    api: float
    function: float
    beside: float

    @property
    def total(self) -> float:
        return self.store + self.api + self.function + self.beside


def main() -> None:
    """Print both tables, in Markdown."""
    with dynamodb_served() as dynamodb_url, s3_served() as s3_url, metered(dynamodb_url, s3_url) as vault:
        prices = _print_prices(vault)
    household = (
        PUSHES * prices["push, 1 change of 1 KB"].total
        + PULLS_EMPTY * prices["pull, nothing new"].total
        + PULLS_NEW * prices["pull, 1 change of 1 KB"].total
    )
    stored = TABLE_GB * TABLE_GB_MONTHS + BUCKET_GB * BUCKET_GB_MONTHS + SNAPSHOTS_GB_OUT * OUT_GB
    stack = SECRETS * SECRET_MONTHS + ALARM_METRICS * ALARM_METRIC_MONTHS + DASHBOARD_MONTHS
    print("\n| a household and month | USD |\n|---|---|")
    print(f"| {PUSHES} pushes, {PULLS_EMPTY + PULLS_NEW} pulls | {household:.2f} |\n| stored | {stored:.2f} |")
    print(f"| the stack itself: {SECRETS} secrets, {ALARM_METRICS} metrics with alarms, 1 dashboard | {stack:.2f} |")


def _print_prices(vault: MeteredVault) -> dict[str, Prices]:
    """Measure each kind of request, and print a million's price."""
    print("| a million of | units: write, read | DynamoDB, S3 | API | Lambda | out, logs | USD |")
    print("|---|---|---|---|---|---|---|")
    costs = {name: vault.cost(request) for name, request in vault.requests().items()}
    found = {}
    for kind in KINDS:
        cost = costs[kind.measured]
        found[kind.name] = price = Prices(
            cost.writes * WRITE_UNITS + cost.reads * READ_UNITS + kind.puts * S3_PUTS,
            API_REQUESTS,
            LAMBDA_REQUESTS + BILLED_SECONDS * MEMORY_GB * LAMBDA_GB_SECONDS,
            kind.bytes_out / GB * OUT_GB + LOGGED_BYTES / GB * LOG_GB,
        )
        columns = (price.store, price.api, price.function, price.beside, price.total)
        shown = " | ".join(f"{column * MILLION:.2f}" for column in columns)
        print(f"| {kind.name} | {cost.writes:g}, {cost.reads:g} | {shown} |")
    return found


if __name__ == "__main__":
    main()
