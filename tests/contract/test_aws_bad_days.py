"""Bad days on AWS, with the stand-ins as they are: what the operator is told, and that nothing acknowledged is lost."""

from collections.abc import Iterator
from functools import partial

import pytest

from relay.adapters.dynamodb import DynamoLimiter, DynamoLog
from relay.adapters.memory import MemoryLimiter
from relay.adapters.s3 import Bucket, S3Blobs, S3Texts
from relay.adapters.s3 import connect as connect_s3
from relay.core import retention
from relay.ports import Quota, StoreUnavailable
from relay_protocol.limits import Retention
from relay_protocol.sealed import Sealed, into_store
from tests.contract.at_once import at_once
from tests.contract.log_world import NOW_MS, TestedVault, seqs_in, uuid
from tools.stand_ins.aws import ACCESS_KEY, REGION, dynamodb, new_bucket, new_log_table, session


@pytest.fixture
def bucket(s3_url: str) -> Iterator[Bucket]:
    bucket = new_bucket(s3_url)
    yield bucket
    bucket.client.close()


def test_a_table_that_is_missing_is_named_as_such(dynamodb_url: str, bucket: Bucket) -> None:
    client = dynamodb(dynamodb_url)
    log, limiter = DynamoLog(client, "no-such-table", S3Texts(bucket)), DynamoLimiter(client, "no-such-table")
    for call in (log.ping, TestedVault(log, uuid(1)).found, partial(limiter.take, b"key", Quota(1, 1), 0)):
        with pytest.raises(StoreUnavailable, match=r"^table missing$"):
            call()
    log.close()
    client.close()


def test_a_bucket_that_is_gone_is_named_as_such(bucket: Bucket) -> None:
    gone = S3Blobs(Bucket(bucket.client, "no-such-bucket"))
    with pytest.raises(StoreUnavailable, match=r"^bucket missing$"):
        list(gone.keys())


def test_credentials_that_are_not_right_are_named_as_such(bucket: Bucket, s3_url: str) -> None:
    made = session()
    made.set_credentials(ACCESS_KEY, "another secret")
    client = connect_s3(s3_url, made)
    with pytest.raises(StoreUnavailable, match=r"^not permitted$"):
        S3Blobs(Bucket(client, bucket.name)).stat("key")
    client.close()


def test_a_bucket_in_another_region_is_found_there(bucket: Bucket, s3_url: str) -> None:
    """S3 tells the region, and botocore follows: the data stay where the bucket is."""
    made = session()
    made.set_config_variable("region", "us-east-1")
    client = connect_s3(s3_url, made)
    assert REGION != "us-east-1"
    S3Texts(Bucket(client, bucket.name)).put_text("vault/text", Sealed(b"sealed"))
    assert into_store(S3Texts(bucket).get_text("vault/text")) == b"sealed"
    client.close()


def test_two_maintenance_runs_at_once_do_the_same_work_and_no_harm(dynamodb_url: str, bucket: Bucket) -> None:
    client = dynamodb(dynamodb_url)
    table = new_log_table(client)
    logs = [DynamoLog(client, table, S3Texts(bucket)) for _ in range(2)]
    gone, pruned, kept = (TestedVault(logs[0], uuid(number)).found() for number in (1, 2, 3))
    for vault in (gone, pruned, kept):
        vault.push(*range(1, 30))
        vault.push(30)
    pruned.complete(30)
    gone.erase()

    def run(log: DynamoLog) -> retention.Tally:
        now_us = (NOW_MS + 1) * 1000
        return retention.run(log, S3Blobs(bucket), MemoryLimiter(), Retention(changeset_days=0, snapshots=1), now_us)

    tallies = at_once(*(partial(run, log) for log in logs))
    assert [tally.vaults for tally in tallies] == [2, 2]
    assert (pruned.info().floor.seq, pruned.info().changeset_bytes) == (30, 0)
    assert seqs_in(kept.page()) == list(range(1, 31))
    rows = [item["sk"]["S"] for item in client.scan(TableName=table)["Items"] if uuid(1) in item["pk"]["S"]]
    assert rows == [f"E#{31:016x}", "M"], "the tombstone, and for an hour the fence against pushes under way"
    for log in logs:
        log.close()
    client.close()
