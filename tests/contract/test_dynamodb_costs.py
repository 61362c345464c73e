"""What requests may cost in DynamoDB (docs/adr/0012): the budgets, limiter included, whatever the vault holds.

Whole requests, from the event to the answer. Units are what the store says, trips are counted on the wire.
"""

from collections.abc import Iterator
from math import inf
from typing import Any

import pytest

from tests.contract.metered import MeteredVault, metered
from tests.contract.wire_meter import QUIET_SECONDS, Cost

MAX_PUSH_WRITES, MAX_PUSH_TRIPS = 4, 3
MAX_PULL_WRITES, MAX_PULL_TRIPS = 1, 2
SMALL_PUSHES = ("push, 1 KB", "push, 1 KB, after that")
SMALL, LARGER = 0, 2_000
DOUBTFUL_SECONDS = 10 * QUIET_SECONDS


@pytest.fixture(scope="module")
def vaults(dynamodb_url: str, s3_url: str) -> Iterator[dict[int, MeteredVault]]:
    """A vault that is empty, and one that is not."""
    with metered(dynamodb_url, s3_url) as small, metered(dynamodb_url, s3_url) as larger:
        larger.fill(LARGER)
        yield {SMALL: small, LARGER: larger}


@pytest.fixture(scope="module")
def costs(vaults: dict[int, MeteredVault]) -> dict[int, dict[str, Cost]]:
    """The cost of each kind of request in each vault."""
    return {size: _costs(vault) for size, vault in vaults.items()}


def _costs(vault: MeteredVault) -> dict[str, Cost]:
    costs = {}
    for name, request in vault.requests().items():
        costs[name] = vault.cost(request)
        if costs[name].trips > _budget(name):  # or this machine was too slow to send at once what may go at once
            costs[name] = vault.cost(request, DOUBTFUL_SECONDS)
    return costs


def _budget(name: str) -> float:
    """Return how many trips a request may take."""
    if name.startswith("pull"):
        return MAX_PULL_TRIPS
    return MAX_PUSH_TRIPS if name in SMALL_PUSHES else inf


@pytest.mark.parametrize("size", [SMALL, LARGER])
@pytest.mark.parametrize("name", SMALL_PUSHES)
def test_a_push_of_1_kb_costs_four_write_units_and_three_trips(
    costs: dict[int, dict[str, Cost]], name: str, size: int
) -> None:
    assert costs[size][name].writes <= MAX_PUSH_WRITES
    assert costs[size][name].trips <= MAX_PUSH_TRIPS


@pytest.mark.parametrize("size", [SMALL, LARGER])
def test_a_page_costs_two_trips(costs: dict[int, dict[str, Cost]], size: int) -> None:
    pulls = {name: told for name, told in costs[size].items() if name.startswith("pull")}
    assert len(pulls) == 4
    for name, told in pulls.items():
        assert told.writes <= MAX_PULL_WRITES, name
        assert told.trips <= MAX_PULL_TRIPS, name


def test_a_request_costs_as_much_in_a_larger_vault(costs: dict[int, dict[str, Cost]]) -> None:
    """But for the first page, of which an empty vault has less."""
    for name, cost in costs[SMALL].items():
        if name != "pull, the first page":
            larger = costs[LARGER][name]
            assert (larger.writes, larger.reads) == (cost.writes, cost.reads), name


def test_reads_are_strongly_consistent(dynamodb_url: str, s3_url: str) -> None:
    """§7.7: every changeset of a push that was answered is in every pull that starts after. No emulator lags."""
    with metered(dynamodb_url, s3_url) as vault:
        asked: list[dict[str, Any]] = []
        vault.client.meta.events.register("provide-client-params.dynamodb", lambda params, **_: asked.append(params))
        for request in vault.requests().values():
            assert request().status < 300
    reads = [one for one in asked if "Key" in one or "KeyConditionExpression" in one or "RequestItems" in one]
    batches = [table for one in reads for table in one.get("RequestItems", {}).values()]
    single = [one for one in reads if "RequestItems" not in one and "UpdateExpression" not in one]
    assert single
    assert batches
    assert all(one.get("ConsistentRead") is True for one in [*single, *batches])
