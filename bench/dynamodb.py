"""What each request costs in DynamoDB: units, and trips that wait for each other, as a vault grows.

Units are what the store says it consumed; nothing here measures time. `python -m bench.dynamodb 0 1000` says how many
changesets to measure at.
"""

import sys

from tests.contract.metered import metered
from tools.stand_ins.aws import dynamodb_served, s3_served

SIZES = (0, 1_000, 100_000)


def main(sizes: list[int]) -> None:
    """Print a table for each size."""
    with dynamodb_served() as dynamodb_url, s3_served() as s3_url, metered(dynamodb_url, s3_url) as vault:
        for size in sizes:
            vault.fill(size)
            print(f"\n{size} changesets\n{'request':32}{'write units':>12}{'read units':>12}{'trips':>7}")
            for name, request in vault.requests().items():
                cost = vault.cost(request)
                print(f"{name:32}{cost.writes:>12g}{cost.reads:>12g}{cost.trips:>7}", flush=True)


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]] or list(SIZES))
