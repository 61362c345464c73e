"""In DynamoDB, too, a vault of others and none cost a guesser the same: the same calls, units and trips."""

from collections.abc import Iterator
from typing import Any

import pytest

from relay.adapters.dynamodb import keys
from relay.adapters.dynamodb.values import to_item
from relay.adapters.memory import MemoryLimiter
from relay.config import Settings
from tests.contract.metered import KIB, MeteredVault, metered
from tests.contract.opened_stores import OpenLog
from tests.contract.wire_meter import QUIET_SECONDS, Cost
from tests.http.access_stage import Ask, Asked, Stage, ask
from tests.http.events import Event
from tests.http.world import World
from tools.access.matrix import ROWS

IN_A_VAULT = [
    pytest.param(ask(row.name, row.method, row.resource), id=row.name) for row in ROWS if "{vault_id}" in row.resource
]
NOT_FOUND = (404, "vault_not_found")
DOUBTFUL_SECONDS = 10 * QUIET_SECONDS
FENCED_ELSEWHERE: dict[str, Any] = {
    "UpdateExpression": "SET fence = :other",
    "ExpressionAttributeValues": {":other": {"B": b"another"}},
}


@pytest.fixture(scope="module")
def metered_vault(dynamodb_url: str, s3_url: str) -> Iterator[MeteredVault]:
    with metered(dynamodb_url, s3_url) as vault:
        yield vault


@pytest.fixture(scope="module")
def stage(metered_vault: MeteredVault) -> Stage:
    """A vault whose last push was a large one. Its blobs are no stranger's business, and lie in memory."""
    metered_vault.world.replace(blobs=metered_vault.world.blobs)
    stage = Stage(metered_vault.world)
    pushed = [stage.vault.founder.changeset(number, ciphertext="c" * KIB) for number in range(2, 102)]
    assert stage.vault.push(*pushed).status == 201
    return stage


@pytest.fixture(scope="module")
def operations(metered_vault: MeteredVault) -> list[str]:
    """What DynamoDB was asked to do, as it is asked."""
    asked: list[str] = []
    metered_vault.client.meta.events.register("before-call.dynamodb", lambda model, **_: asked.append(model.name))
    return asked


@pytest.mark.parametrize("asked", IN_A_VAULT)
def test_a_vault_of_others_and_none_cost_the_same(
    metered_vault: MeteredVault, stage: Stage, operations: list[str], asked: Ask
) -> None:
    for quiet_seconds in (QUIET_SECONDS, DOUBTFUL_SECONDS):
        costs, called = [], []
        for vault in (stage.vault, stage.nowhere()):
            event = asked(Asked(stage, stage.outsider, vault)).event()
            operations.clear()
            costs.append(_cost(metered_vault, event, quiet_seconds))
            called.append(sorted(operations))
        if costs[0].trips == costs[1].trips:
            break  # else this machine was perhaps too slow to send at once what may go at once
    assert costs[0] == costs[1]
    assert called[0] == called[1]
    assert called[0].count("BatchGetItem") == 2


def _cost(metered_vault: MeteredVault, event: Event, quiet_seconds: float) -> Cost:
    def request() -> None:
        assert metered_vault.world.handle(event).outcome == NOT_FOUND

    metered_vault.world.clock.advance(0.1)
    return metered_vault._meter.cost(request, quiet_seconds)


def test_a_vault_that_is_being_changed_takes_a_stranger_no_longer(dynamodb_url: str, s3_url: str) -> None:
    """A member's look-up reads again until vault and end of the log are of one instant. A stranger's needs neither."""
    opened = OpenLog(dynamodb_url, s3_url)
    world = World(opened.log, MemoryLimiter(), Settings())
    vault, stranger = world.found(), world.found().founder
    opened.client.update_item(TableName=opened.table, Key=to_item({**keys.vault(vault.id)}), **FENCED_ELSEWHERE)
    asked: list[str] = []
    opened.client.meta.events.register("before-call.dynamodb", lambda model, **_: asked.append(model.name))
    assert vault.call("GET").outcome == (503, "unavailable")
    asked.clear()
    assert vault.call("GET", by=stranger).outcome == NOT_FOUND
    assert sorted(asked) == ["BatchGetItem", "BatchGetItem", "Query", "Query"]
