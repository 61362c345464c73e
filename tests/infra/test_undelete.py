"""Objects that were removed after the time of a backup come back, others don't."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.infra.deployed import REGION
from tools.undelete.__main__ import main, undelete

BUCKET = "relay"
HOUR = timedelta(hours=1)


@pytest.fixture
def client() -> Iterator[Any]:
    """A versioned bucket with one object that is there and two that were removed just now."""
    with mock_aws():
        client = boto3.client("s3", REGION)
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        for key in ("blobs/stays", "blobs/went", "texts/went"):
            client.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
        for key in ("blobs/went", "texts/went"):
            client.delete_object(Bucket=BUCKET, Key=key)
        yield client


def keys(client: Any) -> set[str]:
    return {one["Key"] for one in client.list_objects_v2(Bucket=BUCKET).get("Contents", ())}


def test_what_was_removed_after_the_time_is_there_again(client: Any) -> None:
    assert undelete(client, BUCKET, datetime.now(UTC) - HOUR) == 2
    assert keys(client) == {"blobs/stays", "blobs/went", "texts/went"}
    assert client.get_object(Bucket=BUCKET, Key="texts/went")["Body"].read() == b"texts/went"
    assert undelete(client, BUCKET, datetime.now(UTC) - HOUR) == 0, "repeating it changes nothing"


def test_what_was_removed_before_it_stays_away(client: Any) -> None:
    assert undelete(client, BUCKET, datetime.now(UTC) + HOUR) == 0
    assert keys(client) == {"blobs/stays"}


def test_a_time_without_a_zone_is_refused(client: Any) -> None:
    with pytest.raises(SystemExit, match="time zone"):
        main(BUCKET, "2026-11-28T12:00:00")
    assert keys(client) == {"blobs/stays"}
