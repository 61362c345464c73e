"""One connection: uvicorn's HTTP/1.1 protocol, bounded. What is too large is refused, who is too slow is dropped.

uvicorn itself bounds neither a head nor the time that a sender or a reader takes.
"""

import asyncio
from enum import Enum
from http import HTTPStatus
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from local.ambiguity import is_ambiguous
from local.bounds import Bounds
from local.incoming import RETRY_SECONDS
from local.pace import Pace
from local.parsing import DecliningParser
from relay.http.responses import refuse
from relay_protocol.errors import MalformedRequest, Unavailable

HTTP_VERSIONS = frozenset({"1.0", "1.1"})
OVERHEAD_PER_BODY_BYTE = 16
"""What chunked coding may add to a body byte, before it counts as no progress."""


class _Phase(Enum):
    HEAD = "waits for a head, or for its rest"
    BODY = "waits for the rest of a body"
    DONE = "has the whole request"


class BoundedConnection(HttpToolsProtocol):
    """A connection that keeps to its `Bounds`."""

    def __init__(
        self,
        bounds: Bounds,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._parsing = DecliningParser(self)
        self.parser = cast("Any", self._parsing)
        self._bounds = bounds
        self.url = b""
        self.headers = []
        self._phase = _Phase.HEAD
        self._partial_head_bytes = self._wire_bytes = self._body_bytes = 0
        self._receiving: asyncio.TimerHandle | None = None
        self._sending: asyncio.TimerHandle | None = None
        self._refused = False

    # -------- the connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Take the connection; where there are too many, close an idle one, or refuse this one."""
        super().connection_made(transport)
        self._watch_head()
        if len(self.connections) > self._bounds.max_connections and not self._close_an_idle_one():
            self._turn_away()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop watching."""
        self._unwatch_receiving()
        self._unwatch_reader()
        super().connection_lost(exc)

    @property
    def is_idle(self) -> bool:
        """Whether it is between two requests."""
        return self.timeout_keep_alive_task is not None

    def _close_an_idle_one(self) -> bool:
        for connection in self.connections:
            if isinstance(connection, BoundedConnection) and connection.is_idle:
                connection.timeout_keep_alive_handler()
                return True
        return False

    def _turn_away(self) -> None:
        """Refuse this connection, and close it at once: a place for it is what is lacking."""
        self._write(refuse(Unavailable(RETRY_SECONDS)))
        self.transport.close()

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection, also where its peer has not read the last answer."""
        self._unset_keepalive_if_required()
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self.transport.close()

    # -------- what comes in

    def data_received(self, data: bytes) -> None:
        """Parse, then see that the request stays in its bounds and comes on."""
        self._wire_bytes += len(data)
        self._partial_head_bytes += len(data)  # the parser tells nothing of a line that has not ended
        if self._refused:
            if self._wire_bytes > self._bounds.linger_bytes:
                self.transport.abort()
            return
        super().data_received(data)
        if self._phase is _Phase.DONE and self.cycle.response_complete:
            self._phase = _Phase.HEAD  # what came is no request yet, but no rest either
        if self._refused or self.transport.is_closing():
            return
        if self._phase is _Phase.HEAD:
            self._bound_head()
        elif self._phase is _Phase.BODY:
            self._bound_body()

    def _bound_head(self) -> None:
        if self._partial_head_bytes > self._bounds.max_head_bytes or self._head_is_too_large():
            self._refuse_head()
        elif self._receiving is None:
            self._watch_head()

    def _bound_body(self) -> None:
        overhead_bytes = self._bounds.max_head_bytes + OVERHEAD_PER_BODY_BYTE * self._body_bytes
        if self._wire_bytes > overhead_bytes:
            self._refuse(refuse(MalformedRequest()))
        elif self._receiving is None:
            self._watch_body(Pace(self._bounds, self.loop.time(), self._body_bytes))

    def on_message_begin(self) -> None:
        """Expect a head."""
        super().on_message_begin()
        self._phase = _Phase.HEAD

    def on_headers_complete(self) -> None:
        """Hand a whole head on."""
        http_version = self.parser.get_http_version()
        if self._head_is_too_large():
            self._refuse_head()
        elif http_version not in HTTP_VERSIONS or is_ambiguous(http_version, self.url, self.headers):
            self._refuse(refuse(MalformedRequest()))
        self.expect_100_continue = self.expect_100_continue and http_version != "1.0"  # RFC 9110 §10.1.1
        if self._refused or len(self.pipeline) >= self._bounds.max_pipelined_requests:
            raise ValueError("refused")  # which ends the parser, and calls send_400_response
        super().on_headers_complete()
        self.headers = []  # trailers are no header fields (RFC 9110 §6.5.1): they end here
        self._phase = _Phase.BODY
        self._wire_bytes = self._body_bytes = 0
        self._unwatch_receiving()

    def on_body(self, body: bytes) -> None:
        """Count what comes on."""
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Rest until the next request."""
        if self._parsing.is_head_only(self.scope["headers"]):
            return
        super().on_message_complete()
        self._phase = _Phase.DONE
        self._partial_head_bytes = 0
        self._unwatch_receiving()

    def _head_is_too_large(self) -> bool:
        size_bytes = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        return size_bytes > self._bounds.max_head_bytes or len(self.headers) > self._bounds.max_head_fields

    def _watch_head(self) -> None:
        self._receiving = self.loop.call_later(self._bounds.head_seconds, self._judge_head)

    def _judge_head(self) -> None:
        if self.flow.read_paused:
            self._watch_head()  # it is we who are slow
        else:
            self.transport.abort()

    def _watch_body(self, pace: Pace) -> None:
        self._receiving = self.loop.call_later(self._bounds.idle_seconds, self._judge_body, pace)

    def _judge_body(self, pace: Pace) -> None:
        if self.flow.read_paused:
            pace = Pace(self._bounds, self.loop.time(), self._body_bytes)  # it is we who are slow
        elif pace.is_too_slow(self.loop.time(), self._body_bytes):
            self.transport.abort()
            return
        self._watch_body(pace)

    def _unwatch_receiving(self) -> None:
        if self._receiving is not None:
            self._receiving.cancel()
            self._receiving = None

    def eof_received(self) -> bool:  # type: ignore[override]  # as asyncio's own
        """Return whether to stay: who has sent all may say so, and wait for the answer."""
        if self._refused or self._phase is _Phase.BODY or self.cycle is None or self.cycle.response_complete:
            return False
        self._unwatch_receiving()
        self.cycle.keep_alive = False
        return True

    # -------- what goes out

    def pause_writing(self) -> None:
        """See that the reader comes on."""
        super().pause_writing()
        self._watch_reader()

    def resume_writing(self) -> None:
        """Let the reader be: it has read what waited. What is written next is judged anew."""
        super().resume_writing()
        self._unwatch_reader()

    def on_response_complete(self) -> None:
        """See that the last answer is read, too."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._watch_reader()

    def _watch_reader(self) -> None:
        pending = self.transport.get_write_buffer_size()
        if pending and self._sending is None:
            self._judge_reader_later(Pace(self._bounds, self.loop.time(), -pending))

    def _judge_reader_later(self, pace: Pace) -> None:
        self._sending = self.loop.call_later(self._bounds.idle_seconds, self._judge_reader, pace)

    def _judge_reader(self, pace: Pace) -> None:
        """Drop a reader that is too slow. While bytes wait, what was read is what waits no longer."""
        if pace.is_too_slow(self.loop.time(), -self.transport.get_write_buffer_size()):
            self.transport.abort()
        else:
            self._judge_reader_later(pace)

    def _unwatch_reader(self) -> None:
        if self._sending is not None:
            self._sending.cancel()
            self._sending = None

    # -------- refusals below HTTP

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 -- uvicorn's signature
        """Refuse what is no request."""
        self._refuse(refuse(MalformedRequest()))

    def _unsupported_upgrade_warning(self) -> None:
        """Answer a request that asks for another protocol in this one, and close: the parser ends at it."""
        self.cycle.keep_alive = False

    def _refuse_head(self) -> None:
        status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        self._refuse({"statusCode": status, "headers": {}, "body": ""})

    def _refuse(self, response: dict[str, Any]) -> None:
        """Take nothing more, and end the connection. Answers to earlier requests are still given."""
        if self._refused:
            return
        self._refused = True
        self._wire_bytes = 0
        self._unwatch_receiving()
        if self.cycle is None or self.cycle.response_complete:
            self._write_and_linger(response)
        elif self._phase is _Phase.HEAD:
            self.cycle.keep_alive = False
        elif self.pipeline or self.cycle.response_started:
            self.transport.abort()
        else:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            self._write_and_linger(response)

    def _write_and_linger(self, response: dict[str, Any]) -> None:
        """Write an answer, and take what the peer still sends for a while, so that it comes to read it."""
        self._write(response)
        self.transport.write_eof()
        self.flow.resume_reading()
        self._receiving = self.loop.call_later(self._bounds.linger_seconds, self.transport.abort)

    def _write(self, response: dict[str, Any]) -> None:
        body = response["body"].encode()
        status = HTTPStatus(response["statusCode"])
        fields = [f"{name}: {value}" for name, value in response["headers"].items()]
        fields += [f"{name.decode()}: {value.decode()}" for name, value in self.server_state.default_headers]
        fields += [f"Content-Length: {len(body)}", "Connection: close"]
        head = "\r\n".join([f"HTTP/1.1 {status.value} {status.phrase}", *fields, "", ""])
        self.transport.write(head.encode("latin-1") + body)
