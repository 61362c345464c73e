"""How long a whole exchange may take. httpx bounds each wait for some bytes; a relay that drips has no end so.

What is sent has to be taken, and an answer's body has to come, at `SLOWEST_BYTES_PER_SECOND` on average, past the
timeout that holds for each wait. An answer's head has to be through within one timeout.
"""

import ssl
import time
from collections.abc import Iterable
from typing import Any

import httpcore
import httpx

SLOWEST_BYTES_PER_SECOND = 1024
_PIECE_BYTES = 16 * 1024
"""How much is written at a time, so that a peer that takes little of it is noticed."""


class Pace:
    """One exchange on one connection. Raises httpcore's timeouts."""

    def __init__(self) -> None:
        self._is_sending = False
        self._is_body = False
        self._since = 0.0
        self._waited_seconds = 0.0
        self._bytes = 0

    def send(self, timeout_seconds: float | None) -> float | None:
        """Return how long to wait for the peer to take more."""
        if not self._is_sending:
            self._begin()
            self._is_sending = True
        return self._left(timeout_seconds, httpcore.WriteTimeout)

    def receive(self, timeout_seconds: float | None) -> float | None:
        """Return how long to wait for more of the answer."""
        if self._is_sending:
            self._begin()
        if not self._is_body:
            self._waited_seconds = time.monotonic() - self._since  # also while 1xx answers keep us busy
        return self._left(timeout_seconds, httpcore.ReadTimeout)

    def begin_body(self) -> None:
        """Note that the answer's head is through: from now on only waiting counts, not what is done with the bytes."""
        self._begin()
        self._is_body = True

    def note(self, began: float, transferred_bytes: int) -> None:
        """Note that something was waited for since `began` (monotonic seconds), and how much came of it."""
        self._waited_seconds += time.monotonic() - began
        self._bytes += transferred_bytes

    def _begin(self) -> None:
        self._is_sending = self._is_body = False
        self._since, self._waited_seconds, self._bytes = time.monotonic(), 0.0, 0

    def _left(self, timeout_seconds: float | None, expired: type[httpcore.TimeoutException]) -> float | None:
        if timeout_seconds is None:
            return None
        earned = self._bytes / SLOWEST_BYTES_PER_SECOND if self._is_sending or self._is_body else 0.0
        left = timeout_seconds + earned - self._waited_seconds
        if left <= 0:
            raise expired("too slow")
        return min(timeout_seconds, left)


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner
        self.pace = Pace()

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read at a pace."""
        left, began = self.pace.receive(timeout), time.monotonic()
        data = self._inner.read(max_bytes, left)
        self.pace.note(began, len(data))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write at a pace."""
        for piece in _pieces(buffer):
            left, began = self.pace.send(timeout), time.monotonic()
            self._inner.write(piece, left)
            self.pace.note(began, len(piece))

    def close(self) -> None:
        """Close it."""
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Go on under TLS."""
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 -- httpcore's
        """Tell what the connection tells of itself."""
        return self._inner.get_extra_info(info)


class _Backend(httpcore.NetworkBackend):
    def __init__(self, inner: httpcore.NetworkBackend) -> None:
        self._inner = inner

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect."""
        return _Stream(self._inner.connect_tcp(host, port, timeout, local_address, socket_options))


class _AsyncStream(httpcore.AsyncNetworkStream):
    def __init__(self, inner: httpcore.AsyncNetworkStream) -> None:
        self._inner = inner
        self.pace = Pace()

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 -- httpcore's
        left, began = self.pace.receive(timeout), time.monotonic()
        data = await self._inner.read(max_bytes, left)
        self.pace.note(began, len(data))
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 -- httpcore's
        for piece in _pieces(buffer):
            left, began = self.pace.send(timeout), time.monotonic()
            await self._inner.write(piece, left)
            self.pace.note(began, len(piece))

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 -- httpcore's
    ) -> httpcore.AsyncNetworkStream:
        return _AsyncStream(await self._inner.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 -- httpcore's
        return self._inner.get_extra_info(info)


class _AsyncBackend(httpcore.AsyncNetworkBackend):
    def __init__(self, inner: httpcore.AsyncNetworkBackend) -> None:
        self._inner = inner

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 -- httpcore's
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        return _AsyncStream(await self._inner.connect_tcp(host, port, timeout, local_address, socket_options))


def keep_pace(client: httpx.Client | httpx.AsyncClient) -> None:
    """Have all of a client's connections keep pace, through proxies, too; transports that stand in for HTTP stay.

    httpx has no parameter for the network below it, so this reaches for its pools: a version that has them elsewhere
    fails here, and loudly.
    """
    for transport in (client._transport, *client._mounts.values()):  # noqa: SLF001
        if isinstance(transport, httpx.HTTPTransport):
            pool = transport._pool  # noqa: SLF001
            if not isinstance(pool._network_backend, _Backend):  # noqa: SLF001
                pool._network_backend = _Backend(pool._network_backend)  # noqa: SLF001
        elif isinstance(transport, httpx.AsyncHTTPTransport):
            async_pool = transport._pool  # noqa: SLF001
            if not isinstance(async_pool._network_backend, _AsyncBackend):  # noqa: SLF001
                async_pool._network_backend = _AsyncBackend(async_pool._network_backend)  # noqa: SLF001


def begin_body(response: httpx.Response) -> None:
    """Note that an answer's head is through."""
    stream = response.extensions.get("network_stream")
    if isinstance(stream, _Stream | _AsyncStream):
        stream.pace.begin_body()


def _pieces(buffer: bytes) -> Iterable[bytes]:
    return (buffer[start : start + _PIECE_BYTES] for start in range(0, len(buffer), _PIECE_BYTES))
