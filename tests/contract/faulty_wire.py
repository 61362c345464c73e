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


FAULTS: tuple[Fault, ...] = (throttled, conflict, server_error, no_connection, connect_timeout, lost_answer)


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
