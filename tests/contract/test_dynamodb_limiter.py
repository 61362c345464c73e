"""The limiter in DynamoDB keeps the contract."""

from collections.abc import Iterator

import pytest

from relay.adapters.dynamodb import DynamoLimiter
from relay.ports import Limiter
from tests.contract.limiter_contract import HALF_SECOND_US, NOW_US, QUOTA
from tests.contract.limiter_contract import TestLimiter as Contract
from tools.stand_ins.aws import dynamodb, new_limiter_table


class TestLimiter(Contract):
    """DynamoDB itself forgets, by an attribute: the emulator does not, and nobody could wait for it."""

    def test_forgetting_leaves_those_who_owe(self, limiter: Limiter) -> None:
        assert isinstance(limiter, DynamoLimiter)
        for _ in range(3):
            limiter.take(b"key", QUOTA, NOW_US + 1)
        limiter.forget(NOW_US + HALF_SECOND_US)
        (item,) = limiter._client.scan(TableName=limiter._table)["Items"]
        due_us = int(item["due"]["N"])
        assert due_us == NOW_US + 1 + 3 * HALF_SECOND_US
        assert int(item["expires_at"]["N"]) == due_us // 1_000_000 + 1, "whole seconds, and none too early"


@pytest.fixture
def limiter(dynamodb_url: str) -> Iterator[Limiter]:
    client = dynamodb(dynamodb_url)
    yield DynamoLimiter(client, new_limiter_table(client))
    client.close()
