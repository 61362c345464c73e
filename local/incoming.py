"""A request's body as it comes in, never more of it in memory than asked for."""

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self

from starlette.types import Receive, Scope

from local.bounds import Bounds
from relay_protocol.errors import Unavailable

RETRY_SECONDS = 2


class ClientGone(Exception):
    """The client closed the connection, or was dropped, before its body had come."""


class Memory:
    """How many bytes of bodies all requests hold together, and may hold."""

    def __init__(self, max_bytes: int) -> None:
        self._free_bytes = max_bytes

    def take(self, size_bytes: int) -> None:
        """Take so many bytes. Raises Unavailable where they are not free."""
        if size_bytes > self._free_bytes:
            raise Unavailable(RETRY_SECONDS)
        self._free_bytes -= size_bytes

    def give_back(self, size_bytes: int) -> None:
        """Give back what was taken."""
        self._free_bytes += size_bytes


class Share:
    """What one request holds of the memory. Leaving its context gives all of it back."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._held_bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._memory.give_back(self._held_bytes)

    def take(self, size_bytes: int) -> None:
        """Take so many bytes more. Raises Unavailable where they are not free."""
        self._memory.take(size_bytes)
        self._held_bytes += size_bytes


class Incoming:
    """The body of one request. `declared_bytes` is its `Content-Length`, None if it is chunked."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._receive = receive
        self.declared_bytes: int | None = 0
        for name, value in scope["headers"]:
            if name == b"content-length":
                self.declared_bytes = int(value)
            elif name == b"transfer-encoding":
                self.declared_bytes = None
        self.finished = self.declared_bytes == 0
        """Whether there is nothing more to come."""

    async def next_chunk(self) -> bytes:
        """Wait for the next bytes; not to be asked once it is finished. Raises ClientGone."""
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        self.finished = not message["more_body"]
        return bytes(message["body"])

    async def collect(self, max_bytes: int, share: Share) -> bytes:
        """Return the body, or the first `max_bytes` of a longer one. Raises ClientGone or Unavailable.

        What is held is taken from `share`.
        """
        parts: list[bytes] = []
        held_bytes = 0
        while not self.finished and held_bytes < max_bytes:
            chunk = await self.next_chunk()
            share.take(len(chunk))
            held_bytes += len(chunk)
            parts.append(chunk)
        return b"".join(parts)[:max_bytes]

    async def linger(self, bounds: Bounds) -> None:
        """Discard what still comes, for a while, so that a client in the midst of sending comes to read its answer."""
        left_bytes = bounds.linger_bytes
        with suppress(ClientGone, TimeoutError):
            async with asyncio.timeout(bounds.linger_seconds):
                while not self.finished and left_bytes > 0:
                    left_bytes -= len(await self.next_chunk())
