"""What moto gets wrong, each shown: the list of docs/testing-on-aws.md. What fails here is a lapse that was mended."""

from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError
from moto import mock_aws

from relay.adapters.dynamodb import connect as connect_dynamodb
from relay.adapters.s3 import connect as connect_s3
from tests.contract.dynamodb_rules import REFUSED, make_table, send_a_transaction_again, units
from tools.stand_ins.aws import REGION, session

BUCKET = "bucket"
BODY, OTHER_BODY = b"announced", b"not announced"
TIMEOUT_SECONDS = 10


@pytest.fixture
def dynamodb() -> Iterator[Any]:
    with mock_aws():
        client = connect_dynamodb(session=session())
        make_table(client)
        yield client


@pytest.fixture
def s3() -> Iterator[Any]:
    with mock_aws():
        client = connect_s3(session=session())
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        yield client


def checksum(body: bytes) -> str:
    return b64encode(sha256(body).digest()).decode()


def upload_url(s3: Any, expires_seconds: int = 900) -> str:
    announced = {"ContentLength": len(BODY), "ChecksumSHA256": checksum(BODY)}
    parameters = {"Bucket": BUCKET, "Key": "key", **announced}
    return str(s3.generate_presigned_url("put_object", Params=parameters, ExpiresIn=expires_seconds))


def put(url: str, body: bytes, **headers: str) -> bool:
    return requests.put(url, data=body, headers=headers, timeout=TIMEOUT_SECONDS).ok


@pytest.mark.parametrize("name", REFUSED)
def test_it_takes_what_dynamodb_refuses(dynamodb: Any, name: str) -> None:
    assert REFUSED[name](dynamodb)


def test_it_refuses_a_transaction_that_is_sent_again_with_its_token(dynamodb: Any) -> None:
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        send_a_transaction_again(dynamodb)


def test_it_tells_units_that_are_not_those_of_the_price_list(dynamodb: Any) -> None:
    assert units(dynamodb) == (1, 0.5, 0)


def test_it_takes_an_upload_of_other_bytes_than_its_url_was_signed_for(s3: Any) -> None:
    assert put(upload_url(s3), OTHER_BODY, **{"x-amz-checksum-sha256": checksum(BODY)})
    assert s3.get_object(Bucket=BUCKET, Key="key")["Body"].read() == OTHER_BODY


def test_it_takes_an_upload_whose_signature_is_wrong(s3: Any) -> None:
    assert put(upload_url(s3)[:-4] + "0000", BODY)


def test_it_takes_an_upload_by_a_url_that_has_expired(s3: Any) -> None:
    assert put(upload_url(s3, expires_seconds=-1000), BODY)


def test_it_takes_a_checksum_that_is_not_the_bodys(s3: Any) -> None:
    assert s3.put_object(Bucket=BUCKET, Key="key", Body=BODY, ChecksumSHA256=checksum(OTHER_BODY))


def test_it_does_not_tell_the_checksum_of_an_upload_by_url(s3: Any) -> None:
    assert put(upload_url(s3), BODY, **{"x-amz-checksum-sha256": checksum(BODY)})
    assert "ChecksumSHA256" not in s3.head_object(Bucket=BUCKET, Key="key", ChecksumMode="ENABLED")


def test_it_serves_whoever_asks_from_wherever(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="key", Body=BODY)
    stranger = session()
    stranger.set_config_variable("region", "us-east-1")
    stranger.set_credentials("of another account", "no key of ours")
    assert connect_s3(session=stranger).get_object(Bucket=BUCKET, Key="key")["Body"].read() == BODY
