"""The emulator that the contract runs on keeps the rules that an adapter could break (docs/testing-on-aws.md)."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.contract.dynamodb_rules import REFUSED, TABLE, make_table, send_a_transaction_again, units
from tools.stand_ins.aws import dynamodb


@pytest.fixture
def client(dynamodb_url: str) -> Iterator[Any]:
    client = dynamodb(dynamodb_url)
    make_table(client)
    yield client
    client.delete_table(TableName=TABLE)
    client.close()


@pytest.mark.parametrize("name", REFUSED)
def test_it_refuses_what_dynamodb_refuses(client: Any, name: str) -> None:
    with pytest.raises(ClientError, match=r"ValidationException|IdempotentParameterMismatchException"):
        REFUSED[name](client)


def test_a_transaction_that_is_sent_again_is_answered_as_before(client: Any) -> None:
    assert send_a_transaction_again(client)


def test_it_tells_the_units_of_the_price_list(client: Any) -> None:
    assert units(client) == (3, 1, 2)
