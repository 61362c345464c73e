"""The least servers that answer HTTP here, as floors: `python -m bench.beside.bare raw-asgi|asyncio PORT`."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import httptools
import uvicorn
import uvloop

ANSWER = b'{"ok":true}'
RESPONSE = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(ANSWER), ANSWER)

Message = dict[str, Any]


async def raw_asgi(
    _: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """Read the body, and answer."""
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(ANSWER))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": ANSWER})


class Bare(asyncio.Protocol):
    """Parse a request, and write a constant answer."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport, self._parser = transport, httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        """Feed the parser."""
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        """Answer."""
        assert hasattr(self._transport, "write")
        self._transport.write(RESPONSE)


async def _serve_bare(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Bare, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    kind, port = sys.argv[1], int(sys.argv[2])
    if kind == "asyncio":
        uvloop.run(_serve_bare(port))
    else:
        uvicorn.run(raw_asgi, port=port, log_level="warning", access_log=False, lifespan="off")
