"""The adapters of DynamoDB and S3 on moto, in this process: what they send is well formed, and they read the answers.

Quick, and needs nothing built. Whether they keep the ports' promises is for the contract suite on the emulator:
docs/testing-on-aws.md says what moto gets wrong.
"""

from collections.abc import Iterator

import pytest
from moto import mock_aws

from relay.adapters.dynamodb import DynamoLimiter, DynamoLog, limiter_table, log_table
from relay.adapters.dynamodb import connect as connect_dynamodb
from relay.adapters.s3 import Bucket, S3Blobs, S3Texts
from relay.adapters.s3 import connect as connect_s3
from relay.ports import Quota, Revocation, StoreUnavailable
from relay_protocol.sealed import Sealed, into_store
from tests.contract.blob_worlds import KEY, OTHER_KEY
from tests.contract.log_world import HOUR_MS, NOW_MS, TestedVault, seqs_in, text_of, texts_in, uuid
from tools.stand_ins.aws import REGION, session

LARGE = b"x" * 200_000


@pytest.fixture(autouse=True)
def _aws() -> Iterator[None]:
    with mock_aws():
        yield


@pytest.fixture
def bucket() -> Bucket:
    client = connect_s3(session=session())
    client.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": REGION})
    return Bucket(client, "bucket")


@pytest.fixture
def log(bucket: Bucket) -> Iterator[DynamoLog]:
    client = connect_dynamodb(session=session())
    client.create_table(**log_table("log"))
    log = DynamoLog(client, "log", S3Texts(bucket))
    yield log
    log.close()


@pytest.fixture
def vault(log: DynamoLog) -> TestedVault:
    return TestedVault(log, uuid(1)).found()


def test_a_log_is_appended_to_and_paged(vault: TestedVault) -> None:
    vault.push(1)
    vault.push(2, 3)
    assert seqs_in(vault.page()) == [1, 2, 3]
    assert texts_in(vault.page(since=1, limit=1)) == [text_of(uuid(2))]
    assert set(vault.state(1, 3, 9).known) == {uuid(1), uuid(3)}


def test_texts_that_do_not_fit_into_an_item_come_from_the_bucket(vault: TestedVault, bucket: Bucket) -> None:
    vault.push_texts({uuid(1): LARGE, uuid(2): LARGE})
    assert len(list(bucket.listed("texts/"))) == 1
    assert texts_in(vault.page()) == [LARGE, LARGE]


def test_members_join_and_are_revoked(vault: TestedVault) -> None:
    vault.join("second")
    assert vault.log.revoke(vault.vault_id, "second", NOW_MS) is Revocation.REVOKED
    roster = vault.log.roster(vault.vault_id)
    assert roster is not None
    assert [(one.device_id, one.revoked_at_ms) for one in roster.members] == [("founder", None), ("second", NOW_MS)]


def test_what_a_snapshot_covers_is_pruned(vault: TestedVault) -> None:
    vault.push(1, 2, 3)
    snapshot = vault.complete(2)
    vault.log.prune(vault.vault_id, NOW_MS + 1, 10)
    assert (vault.info().floor.seq, vault.info().snapshots) == (2, [snapshot])
    assert seqs_in(vault.page(2)) == [3]


def test_an_erased_vault_is_swept(vault: TestedVault) -> None:
    vault.push(1, 2, 3)
    vault.erase()
    while vault.log.sweep(2):
        pass
    assert vault.log.vault_ids("", 10) == []
    assert vault.log.page(vault.vault_id, 0, 1, 1) is None


def test_the_limiter_counts_down_to_a_refusal() -> None:
    client = connect_dynamodb(session=session())
    client.create_table(**limiter_table("limiter"))
    limiter = DynamoLimiter(client, "limiter")
    tickets = [limiter.take(b"key", Quota(2, 60), NOW_MS * 1000) for _ in range(3)]
    assert [(ticket.allowed, ticket.remaining) for ticket in tickets] == [(True, 1), (True, 0), (False, 0)]


def test_blobs_are_found_listed_and_deleted(bucket: Bucket) -> None:
    blobs = S3Blobs(bucket)
    for key in (OTHER_KEY, KEY):
        bucket.client.put_object(Bucket="bucket", Key=f"blobs/{key}", Body=b"blob", ChecksumAlgorithm="SHA256")
    assert list(blobs.keys()) == [KEY, OTHER_KEY]
    assert list(blobs.keys(KEY)) == [OTHER_KEY]
    found = blobs.stat(KEY)
    assert found is not None
    assert found.size_bytes == 4
    blobs.delete(KEY)
    assert blobs.stat(KEY) is None


def test_an_uploads_url_names_what_it_was_signed_for(bucket: Bucket) -> None:
    blobs = S3Blobs(bucket, now_ms=lambda: NOW_MS)
    upload = blobs.presign_upload(KEY, 5, bytes(32), NOW_MS + HOUR_MS, "")
    assert upload.url.startswith(f"https://bucket.s3.{REGION}.amazonaws.com/blobs/{KEY}?")
    assert "X-Amz-SignedHeaders=content-length%3Bhost%3Bx-amz-checksum-sha256" in upload.url
    assert "X-Amz-Expires=3600" in upload.url


def test_a_text_is_put_got_and_deleted(bucket: Bucket) -> None:
    texts = S3Texts(bucket)
    texts.put_text("vault/text", Sealed(b"sealed"))
    assert into_store(texts.get_text("vault/text")) == b"sealed"
    assert [key for key, _ in texts.text_keys("vault/")] == ["vault/text"]
    texts.delete_text("vault/text")
    with pytest.raises(LookupError):
        texts.get_text("vault/text")


def test_a_table_and_a_bucket_that_are_not_there_are_named(bucket: Bucket) -> None:
    client = connect_dynamodb(session=session())
    with pytest.raises(StoreUnavailable, match="table missing"):
        DynamoLog(client, "no-such-table", S3Texts(bucket)).ping()
    with pytest.raises(StoreUnavailable, match="bucket missing"):
        list(S3Blobs(Bucket(bucket.client, "no-such-bucket")).keys())
