"""Faults between botocore and its server, at any request that it sends."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError

from relay.patience import Patience

Send = Callable[[Any], Any]
Fault = Callable[[Send, Any], Any]


class Raw:
    """A body as botocore reads it."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        yield self._body

    def read(self, *_: object) -> bytes:
        body, self._body = self._body, b""
        return body


def answer(request: Any, status: int, code: str, **members: Any) -> Any:
    """An error as DynamoDB words it."""
    body = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "told by no one"} | members)
    headers = {"x-amzn-RequestId": "none", "Content-Type": "application/x-amz-json-1.0"}
    return AWSResponse(request.url, status, headers, Raw(body.encode()))


def throttled(_: Send, request: Any) -> Any:
    return answer(request, 400, "ProvisionedThroughputExceededException")


def conflict(_: Send, request: Any) -> Any:
    """Another transaction is at the item: a code of its own for a single write, one reason of several for many."""
    if request.headers["X-Amz-Target"].endswith(b"TransactWriteItems"):
        reasons = [{"Code": "None"}, {"Code": "TransactionConflict", "Message": "told by no one"}]
        return answer(request, 400, "TransactionCanceledException", CancellationReasons=reasons)
    return answer(request, 400, "TransactionConflictException")


def server_error(_: Send, request: Any) -> Any:
    return answer(request, 500, "InternalServerError")


def no_connection(_: Send, request: Any) -> Any:
    raise EndpointConnectionError(endpoint_url=request.url)


def connect_timeout(_: Send, request: Any) -> Any:
    raise ConnectTimeoutError(endpoint_url=request.url)


def lost_answer(send: Send, request: Any) -> Any:
    """The work is done, and no one is told."""
    send(request)
    raise ReadTimeoutError(endpoint_url=request.url)


def unprocessed(send: Send, request: Any) -> Any:
    """A batch of which nothing is read, and no error: its keys are told to be asked for again."""
    if not _is_batch(request):
        return send(request)
    return _batch_answer(request, [], json.loads(request.body)["RequestItems"])


def partly_processed(send: Send, request: Any) -> Any:
    """A batch of which every other item is read."""
    told = send(request)
    if not _is_batch(request):
        return told
    ((table, items),) = json.loads(told.content)["Responses"].items()
    left = [{name: item[name] for name in ("pk", "sk")} for item in items[1::2]]
    return _batch_answer(request, items[::2], {table: {"Keys": left, "ConsistentRead": True}} if left else {})


def _is_batch(request: Any) -> bool:
    return bool(request.headers["X-Amz-Target"].endswith(b"BatchGetItem"))


def _batch_answer(request: Any, items: list[Any], left: dict[str, Any]) -> Any:
    (table,) = json.loads(request.body)["RequestItems"]
    body = json.dumps({"Responses": {table: items}, "UnprocessedKeys": left}).encode()
    return AWSResponse(request.url, 200, {"Content-Type": "application/x-amz-json-1.0"}, Raw(body))


FAULTS: tuple[Fault, ...] = (throttled, conflict, server_error, no_connection, connect_timeout, lost_answer)
PARTIAL: tuple[Fault, ...] = (unprocessed, partly_processed)
"""What only batches meet."""


def s3_error(status: int, code: str) -> Fault:
    """Return what lets S3 answer so."""

    def fault(_: Send, request: Any) -> Any:
        body = b"" if request.method == "HEAD" else f"<Error><Code>{code}</Code></Error>".encode()
        return AWSResponse(request.url, status, {"Content-Type": "application/xml"}, Raw(body))

    fault.__name__ = code
    return fault


S3_FAULTS: tuple[Fault, ...] = (
    s3_error(503, "SlowDown"),
    s3_error(500, "InternalError"),
    no_connection,
    connect_timeout,
    lost_answer,
)


class FaultyWire:
    """Counts what a client sends, and lets some of it fail."""

    def __init__(self, client: Any) -> None:
        self.sent = 0
        self._session = client._endpoint.http_session
        self._send = self._session.send
        self._session.send = self.send
        self._fault: Fault | None = None
        self._from = self._until = 0

    def send(self, request: Any) -> Any:
        place, self.sent = self.sent, self.sent + 1
        if self._fault is not None and self._from <= place < self._until:
            return self._fault(self._send, request)
        return self._send(request)

    @contextmanager
    def failing(self, fault: Fault | None, place: int = 0, times: int = 1) -> Iterator[None]:
        """Let the request at this place, counted from now, fail, and as many as follow it."""
        self.sent = 0
        self._fault, self._from, self._until = fault, place, place + times
        try:
            yield
        finally:
            self._fault = None


class HastyTime:
    """Time that passes when someone sleeps, and only then."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def patience(self, seconds: float = 5.0) -> Patience:
        return Patience(seconds, monotonic=lambda: self.seconds, sleep=self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.seconds += seconds
