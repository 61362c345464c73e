"""The store of blobs in S3 keeps the contract, over the HTTP that its URLs name."""

import time
from collections.abc import Iterator

import httpx
import pytest

from relay.adapters.s3 import S3Blobs
from relay.ports import Upload
from tests.contract.blob_worlds import BlobWorld, HttpBlobWorld
from tests.contract.blobs_contract import *  # noqa: F403 -- the contract, whole
from tools.stand_ins.aws import new_bucket


class S3World(HttpBlobWorld):
    """Where a client says the length, it is that of the body that it sends."""

    def put(self, upload: Upload, body: bytes) -> bool:
        assert upload.headers.keys() == {"Content-Length", "x-amz-checksum-sha256"}
        fields = {**upload.headers, "Content-Length": str(len(body))}
        return super().put(Upload(upload.url, fields), body)


@pytest.fixture
def world(s3_url: str) -> Iterator[BlobWorld]:
    bucket = new_bucket(s3_url)
    with httpx.Client() as client:
        yield S3World(S3Blobs(bucket), "", time.time_ns() // 1_000_000, client)
    bucket.client.close()
