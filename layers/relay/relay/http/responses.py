"""Proxy responses, and the one map from an error to an answer (§6)."""

from collections.abc import Mapping
from typing import Any

import orjson
from pybase64 import b64encode_as_string

from relay_protocol.errors import RelayError

ProxyResponse = dict[str, Any]

LARGE_BODY_BYTES = 2_000_000
"""From here on a body goes out as base64. Lambda takes 6 MB of JSON, and a text may grow threefold as a JSON string:
each `"` in it by one byte, and some runtimes escape what is not ASCII. Base64 adds a third, whatever is in it."""


def json_response(status: int, body: object, headers: Mapping[str, str] | None = None) -> ProxyResponse:
    """Answer with JSON."""
    return raw_json_response(status, orjson.dumps(body), headers)


def raw_json_response(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> ProxyResponse:
    """Answer with a JSON text that is written already."""
    if len(body) < LARGE_BODY_BYTES:
        return _response(status, body.decode(), "application/json", headers)
    response = _response(status, b64encode_as_string(body), "application/json", headers)
    return {**response, "isBase64Encoded": True}


def no_content() -> ProxyResponse:
    """Answer 204."""
    return {"statusCode": 204, "headers": {"Cache-Control": "no-store"}, "body": "", "isBase64Encoded": False}


def refuse(error: RelayError) -> ProxyResponse:
    """Answer with a problem (RFC 9457): the error's status, header fields and members, and nothing of the request."""
    body = orjson.dumps(error.problem()).decode()
    return _response(error.status, body, "application/problem+json", error.headers)


def _response(status: int, body: str, media_type: str, headers: Mapping[str, str] | None) -> ProxyResponse:
    return {
        "statusCode": status,
        "headers": {"Content-Type": media_type, "Cache-Control": "no-store", **(headers or {})},
        "body": body,
        "isBase64Encoded": False,
    }
