"""DynamoDB and S3 for tests: an emulator (tests/dynamodb_stand_in) and a small server, tables and buckets of each test.

`RELAY_TEST_DYNAMODB_ENDPOINT` and `RELAY_TEST_S3_ENDPOINT` name other servers to test against.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from relay.adapters.dynamodb import connect as connect_dynamodb
from relay.adapters.dynamodb import limiter_table, log_table
from relay.adapters.s3 import Bucket
from relay.adapters.s3 import connect as connect_s3
from tests.contract.s3_server import running

BINARY = Path(__file__).parents[2] / ".stand-in" / "release" / "dynamodb-stand-in"
REGION = "eu-central-1"
ACCESS_KEY, SECRET_KEY = "test-access-key", "test-secret-key"
END_SECONDS = 10

_numbers = count(1)


@contextmanager
def dynamodb_served() -> Iterator[str]:
    """Run the stand-in for DynamoDB; yield its URL. It ends with our end of its standard input, however we end."""
    given = os.environ.get("RELAY_TEST_DYNAMODB_ENDPOINT")
    if given:
        yield given
        return
    if not BINARY.exists():
        give_up = pytest.fail if os.environ.get("CI") else pytest.skip
        give_up("no DynamoDB to test with: make stand-in")
    with subprocess.Popen(
        BINARY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.stdin.close()
            process.wait(END_SECONDS)


@contextmanager
def s3_served() -> Iterator[str]:
    """Run the small S3 of `s3_server`; yield its URL."""
    given = os.environ.get("RELAY_TEST_S3_ENDPOINT")
    if given:
        yield given
        return
    with running(ACCESS_KEY, SECRET_KEY, REGION) as server:
        yield server.url


def session() -> Any:
    """A new session of the stand-ins' credentials: the environment of whoever runs the tests is left alone."""
    made = botocore.session.Session()
    made.set_config_variable("region", REGION)
    made.set_credentials(ACCESS_KEY, SECRET_KEY)
    return made


_shared_session = cache(session)
"""botocore reads its descriptions of the services once a session, which takes longer than most tests."""


def dynamodb(endpoint: str) -> Any:
    return connect_dynamodb(endpoint, _shared_session())


def new_log_table(client: Any) -> str:
    """Make an empty table for a log; return its name."""
    return _new_table(client, log_table(f"log-{os.getpid()}-{next(_numbers)}"))


def new_limiter_table(client: Any) -> str:
    """Make an empty table for a limiter; return its name."""
    return _new_table(client, limiter_table(f"limiter-{os.getpid()}-{next(_numbers)}"))


def new_bucket(endpoint: str) -> Bucket:
    """Make an empty bucket."""
    bucket = Bucket(connect_s3(endpoint, _shared_session()), f"bucket-{os.getpid()}-{next(_numbers)}")
    bucket.client.create_bucket(Bucket=bucket.name, CreateBucketConfiguration={"LocationConstraint": REGION})
    return bucket


def _new_table(client: Any, definition: dict[str, Any]) -> str:
    client.create_table(**definition)
    client.get_waiter("table_exists").wait(
        TableName=definition["TableName"], WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    name: str = definition["TableName"]
    return name
