"""httptools' parser, but that a request which asks for another protocol keeps its body.

httptools ends at such a head and takes what follows for the other protocol's bytes. This server declines every upgrade,
and answers in HTTP/1.1 (RFC 9110 §7.8): what follows is the body, and then the connection ends.
"""

from collections.abc import Iterable
from typing import Any

import httptools

Fields = Iterable[tuple[bytes, bytes]]


class DecliningParser:
    """Parses one request after another, and calls the protocol as httptools does; after an upgrade it is done."""

    def __init__(self, protocol: Any) -> None:  # noqa: ANN401 -- whatever has httptools' callbacks
        self._protocol = protocol
        self._head = httptools.HttpRequestParser(protocol)
        self._head.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn's own: pipelining
        self._body: _Body | None = None
        self.get_http_version = self._head.get_http_version
        self.get_method = self._head.get_method
        self.should_keep_alive = self._head.should_keep_alive
        self.should_upgrade = self._head.should_upgrade

    def feed_data(self, data: bytes) -> None:
        """Parse what came. Raises HttpParserError on what is no request, HttpParserUpgrade at a head that asks."""
        if self._body is not None:
            self._body.feed(data)
            return
        try:
            self._head.feed_data(data)
        except httptools.HttpParserUpgrade as declined:
            framing = _framing(self._protocol.scope["headers"])
            if framing is not None:
                self._body = _Body(self._protocol, framing)
                self._body.feed(data[declined.args[0] :])
            raise

    def is_head_only(self, fields: Fields) -> bool:
        """Whether what httptools calls a whole message is the head of one that has a body."""
        return self._body is None and self.should_upgrade() and _framing(fields) is not None


class _Body:
    """Reads one body, by a parser that is told how it is framed; drops what follows."""

    def __init__(self, protocol: Any, framing: bytes) -> None:  # noqa: ANN401
        self._protocol = protocol
        self._done = False
        self._parser = httptools.HttpRequestParser(self)
        self._parser.feed_data(b"POST / HTTP/1.1\r\n" + framing + b"\r\n\r\n")

    def feed(self, data: bytes) -> None:
        if self._done:
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            if not self._done:  # else it is of what follows
                raise

    def on_body(self, body: bytes) -> None:
        if not self._done:
            self._protocol.on_body(body)

    def on_message_complete(self) -> None:
        if not self._done:
            self._done = True
            self._protocol.on_message_complete()


def _framing(fields: Fields) -> bytes | None:
    """Return the field that says how a body is framed; None without a body. The parser has judged its value."""
    for name, value in fields:
        if name == b"transfer-encoding" or (name == b"content-length" and int(value)):
            return name + b": " + value
    return None
