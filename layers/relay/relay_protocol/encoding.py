"""The few encodings of the protocol (§2): base64url, UUID, times, PAE and JSON."""

import json
import re
from base64 import urlsafe_b64decode
from binascii import b2a_base64
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NoReturn

import orjson

UUID_PATTERN = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
THUMBPRINT_PATTERN = r"^[A-Za-z0-9_-]{43}$"

_UUID = re.compile(UUID_PATTERN.removesuffix("$"))
_THUMBPRINT = re.compile(THUMBPRINT_PATTERN.removesuffix("$"))
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_MAX_INT64_DIGITS = 19


def is_uuid(text: str) -> bool:
    """Whether the text is 8-4-4-4-12 lower-case hexadecimal digits; version and variant are not judged."""
    return _UUID.fullmatch(text) is not None


def is_thumbprint(text: str) -> bool:
    """Whether the text has the form of a device id: 43 characters of the base64url alphabet."""
    return _THUMBPRINT.fullmatch(text) is not None


def base64url(data: bytes) -> str:
    """Encode as base64url without padding (RFC 4648 §5)."""
    return b2a_base64(data, newline=False).translate(_URL_SAFE, b"=").decode("ascii")


def from_base64url(text: str) -> bytes:
    """Decode base64url without padding.

    Raises ValueError on padding, another alphabet, an impossible length, or trailing bits that are not zero.
    """
    if _BASE64URL.fullmatch(text) is None or len(text) % 4 == 1:
        raise ValueError("not base64url without padding")
    data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if base64url(data) != text:
        raise ValueError("trailing bits are not zero")
    return data


def rfc3339(unix_ms: int) -> str:
    """Write Unix milliseconds as RFC 3339 in UTC with milliseconds and `Z`."""
    seconds, milliseconds = divmod(unix_ms, 1000)
    return f"{_to_the_second(seconds)}.{milliseconds:03d}Z"


@lru_cache(maxsize=1024)
def _to_the_second(unix_seconds: int) -> str:
    return datetime.fromtimestamp(unix_seconds, UTC).isoformat()[:19]


def pae(*pieces: str | int | bytes) -> bytes:
    """PASETO's pre-authentication encoding: LE64(n), then LE64(length) and bytes of each piece (§2).

    Text is UTF-8, an integer its ASCII decimal text, bytes stay as they are.
    """
    parts = [len(pieces).to_bytes(8, "little")]
    for piece in pieces:
        data = piece if isinstance(piece, bytes) else str(piece).encode()
        parts += (len(data).to_bytes(8, "little"), data)
    return b"".join(parts)


def from_pae(data: bytes) -> list[bytes]:
    """Split what `pae` joined. Raises ValueError unless the data is exactly one encoding."""
    count, position = _le64(data, 0), 8
    pieces: list[bytes] = []
    for _ in range(min(count, len(data) // 8)):
        end = position + 8 + _le64(data, position)
        if end > len(data):
            raise ValueError("a piece reaches past the end")
        pieces.append(data[position + 8 : end])
        position = end
    if len(pieces) != count or position != len(data):
        raise ValueError("not one whole encoding")
    return pieces


def _le64(data: bytes, position: int) -> int:
    field = data[position : position + 8]
    if len(field) != 8 or field[7] & 0x80:  # noqa: PLR2004 -- LE64 is eight bytes, its top bit clear
        raise ValueError("not an LE64")
    return int.from_bytes(field, "little")


def parse_json(body: bytes) -> Any:  # noqa: ANN401 -- any JSON value
    """Parse strict JSON (RFC 8259) in UTF-8.

    Raises ValueError on anything else: NaN, Infinity, a lone surrogate, an empty body, a depth no request needs.
    A number beyond a double becomes an infinity, so that a field's own rule refuses it, not the syntax.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return _parse_huge_numbers(body)


def _parse_huge_numbers(body: bytes) -> Any:  # noqa: ANN401
    """Parse what orjson refuses only for a number's size; raise ValueError if it is no JSON at all."""
    try:
        value = json.loads(body.decode(), parse_constant=_refuse_constant, parse_int=_int_or_infinity)
        json.dumps(value, ensure_ascii=False).encode()  # a lone surrogate can't be carried by UTF-8
    except (ValueError, RecursionError):
        raise ValueError("not JSON") from None
    return value


def _refuse_constant(_: str) -> NoReturn:
    raise ValueError("not a JSON number")


def _int_or_infinity(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MAX_INT64_DIGITS else float("inf")


def pointer(location: Sequence[str | int]) -> str:
    """Write a JSON Pointer (RFC 6901) of member names and indexes; the empty one is the whole document."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in location)
