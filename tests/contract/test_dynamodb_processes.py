"""The races of the log in DynamoDB between processes: each thread has a log of its own, as each Lambda has."""

import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from relay.adapters.dynamodb import DynamoLog
from relay.adapters.s3 import S3Texts
from relay.patience import Patience
from relay.ports import Log
from tests.contract.at_once import GUARD_SECONDS
from tests.contract.log_append_races import TestAppendRaces
from tests.contract.log_vault_races import TestAnnounceRaces, TestErasureRaces, TestPairingRaces, TestRevocationRaces
from tools.stand_ins.aws import dynamodb, new_bucket, new_log_table

__all__ = ["TestAnnounceRaces", "TestAppendRaces", "TestErasureRaces", "TestPairingRaces", "TestRevocationRaces"]


class SeveralLogs:
    """A log for each thread that asks, over one table."""

    def __init__(self, client: Any, texts: S3Texts) -> None:
        self._client, self._texts, self._table = client, texts, new_log_table(client)
        self._own = threading.local()
        self.made: list[DynamoLog] = []

    def __getattr__(self, name: str) -> Any:
        if not hasattr(self._own, "log"):
            self._own.log = DynamoLog(self._client, self._table, self._texts, patience=_patience)
            self.made.append(self._own.log)
        return getattr(self._own.log, name)


def _patience(_: float) -> Patience:
    """Here are far more writers than one vault has devices, and no one is to give up."""
    return Patience(GUARD_SECONDS)


@pytest.fixture(autouse=True)
def _usual_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads of a store in the network give way at each request: to let them thrash as well takes twice as long."""
    monkeypatch.setattr("tests.contract.at_once.RESTLESS_SECONDS", sys.getswitchinterval())


@pytest.fixture
def pushes_each() -> int:
    return 5


@pytest.fixture
def log(dynamodb_url: str, s3_url: str) -> Iterator[Log]:
    client = dynamodb(dynamodb_url)
    logs: Any = SeveralLogs(client, S3Texts(new_bucket(s3_url)))
    yield logs
    for log in logs.made:
        log.close()
    client.close()
