"""The log in DynamoDB keeps the contract."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from relay.adapters.dynamodb import DynamoLog
from relay.adapters.s3 import S3Texts
from tests.contract.at_once import GUARD_SECONDS, wait_for
from tests.contract.log_append_races import send
from tests.contract.log_contract import *  # noqa: F403 -- the contract, whole
from tests.contract.log_world import TestedVault, text_of, texts_in, uuid
from tools.stand_ins.aws import dynamodb, new_bucket, new_log_table


@pytest.fixture(autouse=True)
def _usual_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads of a store in the network give way at each request: to let them thrash as well takes twice as long."""
    monkeypatch.setattr("tests.contract.at_once.RESTLESS_SECONDS", sys.getswitchinterval())


@pytest.fixture
def pushes_each() -> int:
    return 10


@pytest.fixture
def log(dynamodb_url: str, s3_url: str) -> Iterator[DynamoLog]:
    client = dynamodb(dynamodb_url)
    log = DynamoLog(client, new_log_table(client), S3Texts(new_bucket(s3_url)))
    yield log
    log.close()
    client.close()


def test_pushes_to_a_vault_are_stored_in_the_order_in_which_they_came(log: DynamoLog, vault: TestedVault) -> None:
    """Under load a thread that pushes on and on would else leave the others out until they give up."""

    def push_on(number: int) -> None:
        for each in range(number, 50, 10):
            send(vault, each)

    turns = log._store.turns(vault.vault_id)
    with ThreadPoolExecutor(4) as threads:
        with turns:
            pushes = []
            for waiting, number in enumerate((3, 1, 2), 1):
                pushes.append(threads.submit(push_on, number))
                wait_for(turns, waiting)
        for push in pushes:
            push.result(GUARD_SECONDS)
    assert texts_in(vault.page())[:3] == [text_of(uuid(number)) for number in (3, 1, 2)]
