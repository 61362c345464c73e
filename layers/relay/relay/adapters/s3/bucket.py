"""A bucket: calls of S3's API that are tried again within one deadline, and what its errors mean."""

from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    HTTPClientError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)
from botocore.exceptions import ConnectionError as NotConnected

from relay import aws
from relay.patience import Patience
from relay.ports import StoreUnavailable

READ_TIMEOUT_SECONDS = 3

_NOT_FOUND = frozenset({"404", "NoSuchKey"})
_AGAIN = {
    "SlowDown": "throttled",
    "503": "throttled",
    "RequestTimeout": "timed out",
    "RequestTimeTooSkewed": "clock off",
}
_GIVE_UP = {
    "NoSuchBucket": "bucket missing",
    "AccessDenied": "not permitted",
    "403": "not permitted",
    "InvalidAccessKeyId": "not permitted",
    "SignatureDoesNotMatch": "not permitted",
    "ExpiredToken": "not permitted",
    "AuthorizationHeaderMalformed": "wrong region",
    "PermanentRedirect": "wrong region",
    "301": "wrong region",
    "400": "refused",  # without a body, to HEAD: S3 does not say what for
}
_SERVER_ERROR = 500


def connect(endpoint: str | None = None, session: Any = None) -> Any:  # noqa: ANN401 -- botocore has no types
    """Return a client (`aws.connect`), for `Bucket`. Raises StoreUnavailable."""
    return aws.connect(
        "s3",
        endpoint,
        session,
        read_timeout_seconds=READ_TIMEOUT_SECONDS,
        signature_version="s3v4",
        request_checksum_calculation="when_required",  # we name the checksums ourselves
        s3={"addressing_style": "path" if endpoint else "virtual"},
    )


class Bucket:
    """One bucket. Every call may be repeated: an object's key is never given to another content."""

    def __init__(self, client: Any, name: str, patience: Callable[[], Patience] = Patience) -> None:  # noqa: ANN401
        self.client = client
        self.name = name
        self._patience = patience

    def call(self, operation: str, **parameters: Any) -> dict[str, Any] | None:  # noqa: ANN401
        """Return an answer; None where there is no such object. Raises StoreUnavailable."""
        return self._ask(lambda: getattr(self.client, operation)(Bucket=self.name, **parameters))

    def content(self, key: str) -> dict[str, Any] | None:
        """Return an object's bytes as the answer's `Body`; None where there is none."""

        def take() -> dict[str, Any]:
            answer: dict[str, Any] = self.client.get_object(Bucket=self.name, Key=key, ChecksumMode="ENABLED")
            return {"Body": answer["Body"].read()}

        return self._ask(take)

    def listed(self, prefix: str, after: str = "") -> Iterator[dict[str, Any]]:
        """Yield what the bucket tells of each object whose key begins so and goes on greater than `after`, in order."""
        parameters: dict[str, Any] = {"Prefix": prefix}
        if after:
            parameters["StartAfter"] = prefix + after
        while True:
            answer = self.call("list_objects_v2", **parameters) or {}
            yield from answer.get("Contents", ())
            if not answer.get("IsTruncated"):
                return
            parameters["ContinuationToken"] = answer["NextContinuationToken"]

    def _ask(self, call: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
        patience = self._patience()
        while True:
            try:
                return call()
            except ClientError as error:
                code = error.response.get("Error", {}).get("Code", "")
                if code in _NOT_FOUND:
                    return None
                patience.pause(_reason(error, code))
            except (ConnectTimeoutError, ReadTimeoutError):
                patience.pause("timed out")
            except (HTTPClientError, NotConnected, IncompleteReadError, ResponseStreamingError):
                patience.pause("not reached")
            except BotoCoreError as error:
                raise StoreUnavailable(type(error).__name__) from None  # no credentials, no region


def _reason(error: ClientError, code: str) -> str:
    if code in _GIVE_UP:
        raise StoreUnavailable(_GIVE_UP[code]) from None
    if code in _AGAIN:
        return _AGAIN[code]
    if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= _SERVER_ERROR:
        return "server error"
    raise error
