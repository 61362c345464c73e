"""A proxy response as HTTP."""

from base64 import b64decode
from typing import Any

from starlette.types import Send

from local.bounds import Bounds
from local.incoming import Incoming

NO_CONTENT = 204


async def send_response(send: Send, response: dict[str, Any], incoming: Incoming, bounds: Bounds) -> None:
    """Answer a request. If its body has not come as a whole, linger, then close the connection."""
    status: int = response["statusCode"]
    headers = list(_fields(response))
    body = _body(response)
    if status != NO_CONTENT:
        headers.append((b"content-length", b"%d" % len(body)))
    if incoming.finished:
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        return
    headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": True})
    await incoming.linger(bounds)
    await send({"type": "http.response.body", "body": b""})


def _fields(response: dict[str, Any]) -> list[tuple[bytes, bytes]]:
    """Return the header fields; those with several values win over their single twins, as in API Gateway."""
    several: dict[str, list[str]] = response.get("multiValueHeaders") or {}
    lower = {name.lower() for name in several}
    single = {name: value for name, value in response["headers"].items() if name.lower() not in lower}
    pairs = [*single.items(), *((name, value) for name, values in several.items() for value in values)]
    return [(name.lower().encode("latin-1"), str(value).encode("latin-1")) for name, value in pairs]


def _body(response: dict[str, Any]) -> bytes:
    body: str = response.get("body") or ""
    return b64decode(body) if response.get("isBase64Encoded") else body.encode()
