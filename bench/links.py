"""Connections over loopback that carry one request at a time and are kept."""

import asyncio
from collections.abc import Sequence


class Link:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def to(cls, port: int) -> "Link":
        """Connect."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self, request: bytes) -> bytes:
        """Send a request; return the answer's body. Raises AssertionError unless it is a success."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 20"), head.partition(b"\r\n")[0]
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        return await self._reader.readexactly(int(length.split(b":")[1]))

    def close(self) -> None:
        """Close it."""
        self._writer.close()


async def ask_all(port: int, requests: Sequence[bytes], connections: int) -> None:
    """Send each request once, each connection its next one as the last is answered."""
    pending = iter(requests)

    async def connection() -> None:
        link = await Link.to(port)
        for request in pending:
            await link.ask(request)
        link.close()

    await asyncio.gather(*(connection() for _ in range(connections)))
