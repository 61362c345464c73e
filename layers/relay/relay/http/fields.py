"""What an endpoint asks of a request beyond its signature: the body, `If-Match`, the bearer token."""

import re
from collections.abc import Mapping

from relay.http.request import Request
from relay_protocol.encoding import from_base64url
from relay_protocol.errors import MalformedRequest, UnsupportedMediaType

_STRONG_TAG = re.compile(r'"([\x21\x23-\x7e\x80-\xff]*)"')


def json_body(request: Request) -> bytes:
    """Return the body of a request that needs a JSON one. Raises MalformedRequest or UnsupportedMediaType."""
    if not request.body:
        raise MalformedRequest
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" or request.headers.get("content-encoding"):
        raise UnsupportedMediaType
    return request.body


def if_match(headers: Mapping[str, str]) -> bytes | None:
    """Return the chain in `If-Match`, None without it, and what equals no chain for a tag that is none.

    Raises MalformedRequest unless it is one strong tag (RFC 9110 §8.8.3).
    """
    field = headers.get("if-match")
    if field is None:
        return None
    tag = _STRONG_TAG.fullmatch(field)
    if tag is None:
        raise MalformedRequest
    try:
        return from_base64url(tag[1])
    except ValueError:
        return b""


def bearer_token(headers: Mapping[str, str]) -> str | None:
    """Return the token of `Authorization: Bearer …` (RFC 6750 §2.1)."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None
