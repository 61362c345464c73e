"""Connections to the servers: blocking sockets, one request at a time each, answers parsed by httptools."""

import select
import socket
import time
from collections.abc import Iterable
from typing import cast

import httptools

from bench.beside.pace import Link

READ_BYTES = 1024 * 1024
TIMEOUT_SECONDS = 120


class RefusedError(Exception):
    """A server did not do what was asked for: then a figure would be of something else."""


class Sockets:
    """The real world. `select` waits to the microsecond, where `epoll` and the event loops wait to the millisecond."""

    def now(self) -> float:
        """Return seconds."""
        return time.perf_counter()

    def wait(self, links: Iterable[Link], timeout_seconds: float | None) -> Iterable[Link]:
        """Return those that can be read. Raises RefusedError where none answers for two minutes."""
        waited = TIMEOUT_SECONDS if timeout_seconds is None else timeout_seconds
        ready = select.select(cast("Iterable[Connection]", links), [], [], waited)[0]
        if not ready and timeout_seconds is None:
            raise RefusedError(f"no answer for {TIMEOUT_SECONDS} s")
        return cast("Iterable[Link]", ready)


class Connection:
    """A socket."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._open()

    def _open(self) -> None:
        self._socket = socket.create_connection(("127.0.0.1", self._port), TIMEOUT_SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def fileno(self) -> int:
        """Let it be waited for."""
        return self._socket.fileno()

    def close(self) -> None:
        """Close it."""
        self._socket.close()

    def send(self, request: bytes) -> None:
        """Send a request whole."""
        self._socket.sendall(request)

    def receive(self) -> bytes | None:
        """Read what is there. Return the answer's body once it is whole. Raises RefusedError for no success."""
        raise NotImplementedError

    def read(self) -> bytes:
        """Return what is there, and wait for something if nothing is."""
        data = self._socket.recv(READ_BYTES)
        if not data:
            raise RefusedError("the server closed the connection")
        return data


class HttpConnection(Connection):
    """HTTP/1.1, kept alive."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self._renew()

    def _renew(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._chunks: list[bytes] = []
        self._is_whole = False

    def on_body(self, chunk: bytes) -> None:
        """Take part of the body from the parser."""
        self._chunks.append(chunk)

    def on_message_complete(self) -> None:
        """Hear from the parser that the answer is whole."""
        self._is_whole = True

    def send(self, request: bytes) -> None:
        """Send a request whole."""
        self._request, self._may_send_again = request, True
        super().send(request)

    def receive(self) -> bytes | None:
        """Return the body once it is there.

        A server may close a connection that it keeps, and a client then sends its request once more, on a new one
        (RFC 9110 §9.2.2, RFC 9112 §9.3.1): the time that this takes is the server's.
        """
        try:
            self._parser.feed_data(self.read())
        except (RefusedError, ConnectionError):
            if not self._may_send_again or self._chunks:
                raise
            self._may_send_again = False
            self.close()
            self._open()
            self._renew()
            super().send(self._request)
            return None
        if not self._is_whole:
            return None
        status, body = self._parser.get_status_code(), b"".join(self._chunks)
        self._renew()
        if not 200 <= status < 300:
            raise RefusedError(f"{status} {body[:200]!r}")
        return body


def http_request(method: str, target: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """Return a request as bytes. `headers` hold `Host`; the length is added."""
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    if body or method != "GET":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
