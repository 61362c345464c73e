"""DynamoDB and S3 on this machine: an emulator (tools/stand_ins/dynamodb), a small server, empty tables and buckets.

`RELAY_TEST_DYNAMODB_ENDPOINT` and `RELAY_TEST_S3_ENDPOINT` name other servers instead.
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

from relay.adapters.dynamodb import connect as connect_dynamodb
from relay.adapters.dynamodb import limiter_table, log_table
from relay.adapters.s3 import Bucket
from relay.adapters.s3 import connect as connect_s3
from tools.stand_ins.s3_server import running

BINARY = Path(__file__).parents[2] / ".stand-in" / "release" / "dynamodb-stand-in"
REGION = "eu-central-1"
ACCESS_KEY, SECRET_KEY = "test-access-key", "test-secret-key"
END_SECONDS = 10

_numbers = count(1)


class NotBuilt(Exception):
    """The emulator of DynamoDB was not built: there is no cargo."""


@contextmanager
def dynamodb_served() -> Iterator[str]:
    """Run the emulator of DynamoDB; yield its URL. It ends with our end of its standard input, however we end.

    Raises NotBuilt.
    """
    given = os.environ.get("RELAY_TEST_DYNAMODB_ENDPOINT")
    if given:
        yield given
        return
    if not BINARY.exists():
        raise NotBuilt("no DynamoDB on this machine: make stand-in")
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


def session() -> Any:  # noqa: ANN401 -- botocore has no types
    """Return a new session of the stand-ins' credentials: those in the environment are left alone."""
    made = botocore.session.Session()
    made.set_config_variable("region", REGION)
    made.set_credentials(ACCESS_KEY, SECRET_KEY)
    return made


_shared_session = cache(session)
"""botocore reads its descriptions of the services once a session, which takes longer than most tests."""


def dynamodb(endpoint: str) -> Any:  # noqa: ANN401
    """Return a client of a DynamoDB."""
    return connect_dynamodb(endpoint, _shared_session())


def new_log_table(client: Any) -> str:  # noqa: ANN401
    """Make an empty table for a log; return its name."""
    return _new_table(client, log_table(f"log-{os.getpid()}-{next(_numbers)}"))


def new_limiter_table(client: Any) -> str:  # noqa: ANN401
    """Make an empty table for a limiter; return its name."""
    return _new_table(client, limiter_table(f"limiter-{os.getpid()}-{next(_numbers)}"))


def new_bucket(endpoint: str) -> Bucket:
    """Make an empty bucket."""
    bucket = Bucket(connect_s3(endpoint, _shared_session()), f"bucket-{os.getpid()}-{next(_numbers)}")
    bucket.client.create_bucket(Bucket=bucket.name, CreateBucketConfiguration={"LocationConstraint": REGION})
    return bucket


def _new_table(client: Any, definition: dict[str, Any]) -> str:  # noqa: ANN401
    client.create_table(**definition)
    client.get_waiter("table_exists").wait(
        TableName=definition["TableName"], WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    name: str = definition["TableName"]
    return name
