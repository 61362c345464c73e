"""DynamoDB and S3 for tests: two emulators of their own processes (tests/stand_ins), with tables and buckets of a test.

`RELAY_TEST_DYNAMODB_ENDPOINT` and `RELAY_TEST_S3_ENDPOINT` name other servers to test against.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from relay.adapters.dynamodb import connect as connect_dynamodb
from relay.adapters.dynamodb import limiter_table, log_table
from relay.adapters.s3 import Bucket
from relay.adapters.s3 import connect as connect_s3

BINARIES = Path(__file__).parents[2] / ".stand-ins" / "release"
REGION = "eu-central-1"
ACCESS_KEY, SECRET_KEY = "test-access-key", "test-secret-key"
END_SECONDS = 10

_numbers = count(1)


@contextmanager
def served(name: str, *arguments: str) -> Iterator[str]:
    """Run a stand-in; yield its URL. It ends with our end of its standard input, however we end."""
    given = os.environ.get(f"RELAY_TEST_{name.upper()}_ENDPOINT")
    if given:
        yield given
        return
    binary = BINARIES / name
    if not binary.exists():
        if os.environ.get("CI"):
            pytest.fail(f"no stand-in for {name}: make .stand-ins/.built")
        pytest.skip(f"no stand-in for {name}: make .stand-ins/.built")
    with subprocess.Popen(
        [binary, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.stdin.close()
            process.wait(END_SECONDS)


def session() -> Any:
    """A session of the stand-ins' credentials: the environment of whoever runs the tests is left alone."""
    made = botocore.session.Session()
    made.set_config_variable("region", REGION)
    made.set_credentials(ACCESS_KEY, SECRET_KEY)
    return made


def dynamodb(endpoint: str) -> Any:
    return connect_dynamodb(endpoint, session())


def new_log_table(client: Any) -> str:
    """Make an empty table for a log; return its name."""
    return _new_table(client, log_table(f"log-{os.getpid()}-{next(_numbers)}"))


def new_limiter_table(client: Any) -> str:
    """Make an empty table for a limiter; return its name."""
    return _new_table(client, limiter_table(f"limiter-{os.getpid()}-{next(_numbers)}"))


def new_bucket(endpoint: str) -> Bucket:
    """Make an empty bucket."""
    bucket = Bucket(connect_s3(endpoint, session()), f"bucket-{os.getpid()}-{next(_numbers)}")
    bucket.client.create_bucket(Bucket=bucket.name, CreateBucketConfiguration={"LocationConstraint": REGION})
    return bucket


def _new_table(client: Any, definition: dict[str, Any]) -> str:
    client.create_table(**definition)
    client.get_waiter("table_exists").wait(
        TableName=definition["TableName"], WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    name: str = definition["TableName"]
    return name
