"""What botocore's errors mean: try again, a condition that did not hold, or a store that can't answer."""

from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    HTTPClientError,
    ReadTimeoutError,
)
from botocore.exceptions import ConnectionError as NotConnected

from relay.adapters.dynamodb.values import Item, from_item
from relay.ports import StoreUnavailable

_AGAIN = {
    "ProvisionedThroughputExceededException": "throttled",
    "ThrottlingException": "throttled",
    "ThrottlingError": "throttled",
    "ProvisionedThroughputExceeded": "throttled",
    "RequestLimitExceeded": "throttled",
    "TransactionConflictException": "contended",
    "TransactionConflict": "contended",
    "TransactionInProgressException": "contended",
    "InternalServerError": "server error",
    "InternalServerErrorException": "server error",
    "ServiceUnavailable": "server error",
    "ServiceUnavailableException": "server error",
}
_GIVE_UP = {
    "ResourceNotFoundException": "table missing",
    "AccessDeniedException": "not permitted",
    "UnrecognizedClientException": "not permitted",
    "InvalidSignatureException": "not permitted",
    "IncompleteSignatureException": "not permitted",
    "MissingAuthenticationTokenException": "not permitted",
    "ExpiredTokenException": "not permitted",
    "KMSAccessDeniedException": "not permitted",
}
_SERVER_ERROR = 500


class Refused(Exception):
    """A condition did not hold, and nothing was written. `item` is what lies there, if the call asked for it."""

    def __init__(self, item: Item | None) -> None:
        super().__init__()
        self.item = item


def try_again(error: Exception) -> str:
    """Return the reason to try again for. Raises Refused, StoreUnavailable, or the error where it is a defect."""
    if isinstance(error, ClientError):
        return _answered(error)
    if isinstance(error, ConnectTimeoutError | ReadTimeoutError):
        return "timed out"
    if isinstance(error, HTTPClientError | NotConnected):
        return "not reached"
    if isinstance(error, BotoCoreError):
        raise StoreUnavailable(type(error).__name__) from None  # no credentials, no region, no such endpoint
    raise error


def _answered(error: ClientError) -> str:
    answer: dict[str, Any] = error.response
    code = answer.get("Error", {}).get("Code", "")
    if code == "ConditionalCheckFailedException":
        raise Refused(from_item(answer["Item"]) if "Item" in answer else None) from None
    if code == "TransactionCanceledException":
        return _cancelled([reason.get("Code", "None") for reason in answer.get("CancellationReasons", ())], error)
    if code in _AGAIN:
        return _AGAIN[code]
    if code == "InvalidSignatureException" and _is_of_the_clock(answer.get("Error", {}).get("Message", "")):
        raise StoreUnavailable("clock off") from None
    if code in _GIVE_UP:
        raise StoreUnavailable(_GIVE_UP[code]) from None
    if answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= _SERVER_ERROR:
        return "server error"
    raise error


def _is_of_the_clock(message: str) -> bool:
    """Whether a signature was refused for its time alone: more than 5 minutes off AWS's clock."""
    return message.startswith(("Signature expired", "Signature not yet current"))


def _cancelled(codes: list[str], error: ClientError) -> str:
    if "ConditionalCheckFailed" in codes:
        raise Refused(None) from None
    reasons = [_AGAIN[code] for code in codes if code in _AGAIN]
    if not reasons:
        raise error
    return reasons[0]
