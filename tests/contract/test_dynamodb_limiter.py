"""The limiter in DynamoDB keeps the contract."""

from collections.abc import Iterator

import pytest

from relay.adapters.dynamodb import DynamoLimiter
from relay.ports import Limiter
from tests.contract.aws_world import dynamodb, new_limiter_table
from tests.contract.limiter_contract import *  # noqa: F403 -- the contract, whole


@pytest.fixture
def limiter(dynamodb_url: str) -> Iterator[Limiter]:
    client = dynamodb(dynamodb_url)
    yield DynamoLimiter(client, new_limiter_table(client))
    client.close()
