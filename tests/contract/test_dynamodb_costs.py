"""What requests may cost in DynamoDB (docs/adr/0012): the budgets, whatever the vault holds.

Units and trips are counts that the store and the adapter tell, not times.
"""

from collections.abc import Iterator

import pytest

from tests.contract.metered import Cost, MeteredVault, metered

MAX_PUSH_WRITES = 4
LIMITER_TRIPS = 1
MAX_PUSH_TRIPS = 3 + LIMITER_TRIPS
MAX_PULL_TRIPS = 2 + LIMITER_TRIPS
SMALL, LARGER = 0, 1_000


@pytest.fixture(scope="module")
def costs(dynamodb_url: str, s3_url: str) -> Iterator[dict[int, dict[str, Cost]]]:
    """The cost of each kind of request, in a vault that is empty and in one that is not."""
    with metered(dynamodb_url, s3_url) as vault:
        yield {size: _costs(vault, size) for size in (SMALL, LARGER)}


def _costs(vault: MeteredVault, size: int) -> dict[str, Cost]:
    vault.fill(size)
    return {name: vault.cost(request) for name, request in vault.requests().items()}


@pytest.mark.parametrize("size", [SMALL, LARGER])
def test_a_push_of_1_kb_costs_four_write_units_with_the_limiters(costs: dict[int, dict[str, Cost]], size: int) -> None:
    for name in ("push, 1 KB", "push, 1 KB, after that"):
        assert costs[size][name].writes <= MAX_PUSH_WRITES
        assert costs[size][name].trips <= MAX_PUSH_TRIPS


@pytest.mark.parametrize("size", [SMALL, LARGER])
def test_a_page_takes_two_trips(costs: dict[int, dict[str, Cost]], size: int) -> None:
    for name, cost in costs[size].items():
        if name.startswith("pull"):
            assert cost.trips <= MAX_PULL_TRIPS
            assert cost.writes <= 1


def test_a_request_costs_as_much_in_a_larger_vault(costs: dict[int, dict[str, Cost]]) -> None:
    """But for the first page, of which an empty vault has less."""
    for name, cost in costs[SMALL].items():
        if name != "pull, the first page":
            assert costs[LARGER][name] == cost, name


def test_reads_are_strongly_consistent(dynamodb_url: str, s3_url: str) -> None:
    """§7.7: every changeset of a push that was answered is in every pull that starts after. No emulator lags."""
    with metered(dynamodb_url, s3_url) as vault:
        asked: list[dict[str, object]] = []
        client = vault.log._store._client
        client.meta.events.register("provide-client-params.dynamodb", lambda params, **_: asked.append(params))
        for request in vault.requests().values():
            vault.cost(request)
    reads = [one for one in asked if "Key" in one or "KeyConditionExpression" in one or "RequestItems" in one]
    batches = [table for one in reads for table in dict(one.get("RequestItems", {})).values()]  # type: ignore[call-overload]
    single = [one for one in reads if "RequestItems" not in one and "UpdateExpression" not in one]
    assert single
    assert batches
    assert all(one.get("ConsistentRead") is True for one in [*single, *batches])
