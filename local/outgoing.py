"""A proxy response as HTTP."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pybase64 import b64decode
from starlette.types import Send

from local.bounds import Bounds
from local.incoming import Incoming

FINAL = range(200, 600)
NO_CONTENT = 204

_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9a-z-]+")  # RFC 9110 §5.6.2, in lower case
_VALUE = re.compile(rb"[^\x00-\x08\x0a-\x1f\x7f]*")


@dataclass(frozen=True, slots=True)
class Answer:
    """A response as it goes out."""

    status: int
    fields: list[tuple[bytes, bytes]]
    body: bytes


def render(response: dict[str, Any]) -> Answer:
    """Read a proxy response. Raises whatever its defect leads to: ValueError, KeyError, TypeError."""
    status = int(response["statusCode"])
    fields = list(_fields(response))
    if not all(_NAME.fullmatch(name) and _VALUE.fullmatch(value) for name, value in fields):
        raise ValueError("a header field would spoil the answer")
    body = _body(response)
    if status != NO_CONTENT:
        fields.append((b"content-length", b"%d" % len(body)))
    if status not in FINAL or (status == NO_CONTENT and body):
        raise ValueError("a status that is not final, or does not go with the body")
    return Answer(status, fields, body)


async def send_answer(send: Send, answer: Answer, incoming: Incoming, bounds: Bounds) -> None:
    """Answer a request. If its body has not come as a whole, linger, then close the connection."""
    if incoming.finished:
        await send_whole(send, answer)
        return
    fields = [*answer.fields, (b"connection", b"close")]
    await send({"type": "http.response.start", "status": answer.status, "headers": fields})
    await send({"type": "http.response.body", "body": answer.body, "more_body": True})
    await incoming.linger(bounds)
    await send({"type": "http.response.body", "body": b""})


async def send_whole(send: Send, answer: Answer) -> None:
    """Answer a request, whatever became of its body."""
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.fields})
    await send({"type": "http.response.body", "body": answer.body})


def _fields(response: dict[str, Any]) -> Iterator[tuple[bytes, bytes]]:
    """Yield the header fields; those with several values win over their single twins, as in API Gateway."""
    several: dict[str, list[str]] = response.get("multiValueHeaders") or {}
    lower = {name.lower() for name in several}
    for name, value in response["headers"].items():
        if name.lower() not in lower:
            yield _field(name, value)
    for name, values in several.items():
        for value in values:
            yield _field(name, value)


def _field(name: str, value: object) -> tuple[bytes, bytes]:
    return name.lower().encode("latin-1"), str(value).encode("latin-1")


def _body(response: dict[str, Any]) -> bytes:
    body: str = response.get("body") or ""
    return b64decode(body, validate=True) if response.get("isBase64Encoded") else body.encode()
