"""The log in DynamoDB keeps the contract."""

import sys
from collections.abc import Iterator

import pytest

from relay.adapters.dynamodb import DynamoLog
from relay.adapters.s3 import S3Texts
from relay.ports import Log
from tests.contract.log_contract import *  # noqa: F403 -- the contract, whole
from tools.stand_ins.aws import dynamodb, new_bucket, new_log_table


@pytest.fixture(autouse=True)
def _usual_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads of a store in the network give way at each request: to let them thrash as well takes twice as long."""
    monkeypatch.setattr("tests.contract.at_once.RESTLESS_SECONDS", sys.getswitchinterval())


@pytest.fixture
def pushes_each() -> int:
    return 10


@pytest.fixture
def log(dynamodb_url: str, s3_url: str) -> Iterator[Log]:
    client = dynamodb(dynamodb_url)
    log = DynamoLog(client, new_log_table(client), S3Texts(new_bucket(s3_url)))
    yield log
    log.close()
    client.close()
