"""S3 failing at any request: it is asked again; then one short reason, and nothing lost."""

from collections.abc import Callable, Iterator
from hashlib import sha256

import pytest

from relay.adapters.dynamodb.texts import Texts
from relay.adapters.s3 import Bucket, S3Blobs, S3Texts
from relay.ports import Blobs, BlobStat, StoreUnavailable
from relay_protocol.sealed import Sealed, into_store
from tests.contract.blob_worlds import KEY
from tests.contract.faulty_wire import S3_FAULTS, Fault, FaultyWire, HastyTime, s3_error
from tools.stand_ins.aws import new_bucket

BODY = b"some bytes"


class Both:
    """Blobs and texts in a bucket behind a faulty wire, with one of each."""

    def __init__(self, bucket: Bucket) -> None:
        self.bucket = Bucket(bucket.client, bucket.name, HastyTime().patience)
        self.blobs, self.texts = S3Blobs(self.bucket), S3Texts(self.bucket)
        self.wire = FaultyWire(bucket.client)
        self.prepare()

    def prepare(self) -> None:
        parameters = {"Key": f"blobs/{KEY}", "Body": BODY, "ChecksumAlgorithm": "SHA256"}
        self.bucket.client.put_object(Bucket=self.bucket.name, **parameters)
        self.texts.put_text("vault/text", Sealed(BODY))

    def text(self) -> bytes | None:
        try:
            return into_store(self.texts.get_text("vault/text"))
        except LookupError:
            return None


@pytest.fixture
def both(s3_url: str) -> Iterator[Both]:
    bucket = new_bucket(s3_url)
    yield Both(bucket)
    bucket.client.close()


def deleted(both: Both) -> object:
    both.blobs.delete(KEY)
    return both.blobs.stat(KEY)


def replaced(both: Both) -> object:
    both.texts.put_text("vault/text", Sealed(b"new"))
    return both.text()


def forgotten(both: Both) -> object:
    both.texts.delete_text("vault/text")
    return both.text()


METHODS: dict[str, tuple[Callable[[Both], object], object]] = {
    "stat": (lambda both: both.blobs.stat(KEY), BlobStat(len(BODY), sha256(BODY).digest())),
    "delete": (deleted, None),
    "keys": (lambda both: list(both.blobs.keys()), [KEY]),
    "put_text": (replaced, b"new"),
    "get_text": (lambda both: both.text(), BODY),
    "delete_text": (forgotten, None),
    "text_keys": (lambda both: [key for key, _ in both.texts.text_keys("vault/")], ["vault/text"]),
}


def test_every_method_that_asks_s3_is_enumerated(both: Both) -> None:
    """Presigning asks nobody."""
    with both.wire.failing(None):
        both.blobs.presign_upload(KEY, 1, bytes(32), 0, "")
        both.blobs.presign_download(KEY, 0, "")
        assert both.wire.sent == 0
    of_ports = {name for port in (Blobs, Texts) for name in vars(port) if not name.startswith("_")}
    assert of_ports == {*METHODS, "presign_upload", "presign_download"}


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("fault", S3_FAULTS, ids=lambda fault: fault.__name__)
def test_one_fault_anywhere_is_not_noticed(both: Both, fault: Fault, name: str) -> None:
    method, expected = METHODS[name]
    place, sent = 0, 1
    while place < sent:
        both.prepare()
        with both.wire.failing(fault, place):
            assert method(both) == expected
            sent = both.wire.sent
        place += 1


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("fault", S3_FAULTS, ids=lambda fault: fault.__name__)
def test_where_faults_go_on_it_is_told_and_can_be_repeated(both: Both, fault: Fault, name: str) -> None:
    method, expected = METHODS[name]
    with both.wire.failing(fault, times=10**6), pytest.raises(StoreUnavailable) as raised:
        method(both)
    assert raised.value.reason in {"throttled", "server error", "not reached", "timed out"}
    assert method(both) == expected


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (404, "NoSuchBucket", "bucket missing"),
        (403, "AccessDenied", "not permitted"),
        (403, "SignatureDoesNotMatch", "not permitted"),
        (400, "ExpiredToken", "not permitted"),
    ],
)
def test_what_waiting_does_not_mend_is_told_at_once(both: Both, status: int, code: str, reason: str) -> None:
    with both.wire.failing(s3_error(status, code), times=10**6), pytest.raises(StoreUnavailable) as raised:
        list(both.blobs.keys())
    assert (raised.value.reason, both.wire.sent) == (reason, 1)


def test_a_listing_takes_as_many_pages_as_it_needs(both: Both) -> None:
    keys = [f"vault/{number:03}" for number in range(23)]
    for key in keys:
        both.texts.put_text(key, Sealed(BODY))
    assert [key for key, _ in both.texts.text_keys("vault/0")] == keys


def test_a_blob_whose_checksum_s3_never_saw_is_not_the_announced_one(both: Both) -> None:
    """It cannot have come by our URL."""
    both.bucket.client.put_object(Bucket=both.bucket.name, Key=f"blobs/{KEY}", Body=BODY)
    assert both.blobs.stat(KEY) == BlobStat(len(BODY), b"")
