"""What requests cost in DynamoDB as a vault grows: units as the store counts them, and trips."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from tests.contract.metered import metered
from tools.stand_ins.aws import dynamodb_served, s3_served

SIZES = (0, 100_000, 1_000_000)


def count_units(told: Callable[[str], None], sizes: Sequence[int] = SIZES) -> dict[str, Any]:
    """Fill a vault to each size in turn, and return each kind of request's cost there."""
    points = []
    with dynamodb_served() as dynamodb_url, s3_served() as s3_url, metered(dynamodb_url, s3_url) as vault:
        for size in sizes:
            began = time.perf_counter()
            vault.fill(size)
            told(f"{size:,} changesets, filled in {time.perf_counter() - began:.0f} s")
            costs = {name: asdict(vault.cost(request)) for name, request in vault.requests().items()}
            points.append({"changesets": size, "costs": costs})
    return {"points": points}
