"""DynamoDB throttled, and a clock that is off: what a client is told, from the event to the answer."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import botocore.auth
import httpx
import pytest

from relay.adapters.dynamodb import DynamoLimiter, DynamoLog
from relay.adapters.s3 import Bucket, S3Blobs, S3Texts
from relay.config import Settings
from relay.ports import StoreUnavailable
from relay_protocol.limits import Limits
from tests.contract.blob_worlds import KEY
from tests.contract.faulty_wire import FaultyWire, HastyTime, Send, throttled
from tests.http.world import Vault, World
from tools.stand_ins.aws import dynamodb, new_bucket, new_limiter_table, new_log_table

MINUTE_MS = 60_000
BODY = b"some bytes"


class Throttled:
    """A vault of a relay whose DynamoDB throttles every request, for so long."""

    def __init__(self, client: Any, bucket: Bucket) -> None:
        self.wire, self.time = FaultyWire(client), HastyTime()
        self.log = DynamoLog(client, new_log_table(client), S3Texts(bucket), patience=self.time.patience)
        limiter = DynamoLimiter(client, new_limiter_table(client), lambda: self.time.patience(0.5))
        self.vault: Vault = World(self.log, limiter, Settings(limits=Limits())).found()
        self._until = 0.0

    def throttle(self, seconds: float) -> None:
        self._until = self.time.seconds + seconds

    def fault(self, send: Send, request: Any) -> Any:
        return throttled(send, request) if self.time.seconds < self._until else send(request)


@pytest.fixture
def slow(dynamodb_url: str, s3_url: str) -> Iterator[Throttled]:
    client = dynamodb(dynamodb_url)
    throttled = Throttled(client, new_bucket(s3_url))
    with throttled.wire.failing(throttled.fault, times=10**9):
        yield throttled
    throttled.log.close()
    client.close()


def test_throttled_for_a_second_no_one_notices(slow: Throttled) -> None:
    slow.throttle(1)
    assert slow.vault.push(slow.vault.founder.changeset(1)).status == 201
    assert slow.vault.pull().json["head"]["seq"] == 1


def test_throttled_for_long_a_client_is_told_to_come_again_and_what_it_sends_then_is_stored_once(
    slow: Throttled,
) -> None:
    changeset = slow.vault.founder.changeset(1)
    slow.throttle(60)
    answer = slow.vault.push(changeset)
    assert answer.outcome == (503, "unavailable")
    assert answer.headers["retry-after"] == "2"
    assert slow.time.seconds < 10, "it gives up after 5 s, before the gateway does"
    assert slow.vault.world.telemetry.of("store_unavailable")[0][1] == "throttled"
    slow.throttle(0)
    assert slow.vault.push(changeset).status == 201
    assert slow.vault.push(changeset).status == 200
    assert [one["id"] for one in slow.vault.pull().json["changesets"]] == [changeset["id"]]


def test_where_the_limiter_alone_is_throttled_requests_pass(slow: Throttled) -> None:
    wire = slow.wire
    with wire.failing(lambda send, request: _limiter_only(slow, send, request), times=10**9):
        assert slow.vault.push(slow.vault.founder.changeset(1)).status == 201
    assert slow.vault.world.telemetry.of("limiter_failed")[0][1] == "throttled"
    assert slow.time.seconds < 1


def _limiter_only(slow: Throttled, send: Send, request: Any) -> Any:
    table = slow.vault.world.relay.limiter._table  # type: ignore[attr-defined]
    return throttled(send, request) if table.encode() in request.body else send(request)


@pytest.mark.parametrize("minutes", [-10, 10])
def test_ten_minutes_off_uploads_and_downloads_still_work(
    monkeypatch: pytest.MonkeyPatch, s3_url: str, minutes: int
) -> None:
    """S3 takes 15. A URL ends as many minutes too soon or too late as the clock is off."""
    bucket, now_ms = new_bucket(s3_url), _set_clock(monkeypatch, minutes)
    blobs = S3Blobs(bucket, now_ms=lambda: now_ms)
    upload = blobs.presign_upload(KEY, len(BODY), sha256(BODY).digest(), now_ms + 60 * MINUTE_MS, "")
    assert httpx.put(upload.url, headers=dict(upload.headers), content=BODY).is_success
    assert blobs.stat(KEY) is not None
    assert httpx.get(blobs.presign_download(KEY, now_ms + 15 * MINUTE_MS, "")).content == BODY
    ends_at_once = httpx.get(blobs.presign_download(KEY, now_ms + 5 * MINUTE_MS, ""))
    assert ends_at_once.is_success == (minutes > 0)
    bucket.client.close()


@pytest.mark.parametrize("minutes", [-20, 20])
def test_twenty_minutes_off_s3_is_unavailable_because_of_the_clock(
    monkeypatch: pytest.MonkeyPatch, s3_url: str, minutes: int
) -> None:
    bucket = new_bucket(s3_url)
    _set_clock(monkeypatch, minutes)
    with pytest.raises(StoreUnavailable, match=r"^clock off$"):
        list(S3Blobs(Bucket(bucket.client, bucket.name, HastyTime().patience)).keys())
    bucket.client.close()


def _set_clock(monkeypatch: pytest.MonkeyPatch, minutes: int) -> int:
    """Let botocore sign by a clock that is off; return its Unix milliseconds."""
    off = timedelta(minutes=minutes)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: (datetime.now(UTC) + off).replace(tzinfo=None))
    return int((datetime.now(UTC) + off).timestamp() * 1000)
