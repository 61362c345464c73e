"""A relay that cheats: the real handlers on a socket, whose answers are altered on their way to the device."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx

from tests.client.relay_in_process import RelayInProcess


@dataclass
class Exchange:
    """A request and its answer, which may be altered before the device gets it."""

    method: str
    path: str
    """Without the query."""
    sent: bytes
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @json.setter
    def json(self, value: Any) -> None:
        self.body = json.dumps(value).encode()

    def asks(self, method: str, path: str) -> bool:
        """Whether this was such a request, its path by a pattern, and was answered well."""
        return self.method == method and re.search(path, self.path) is not None and self.status < 300

    def refuse(self, status: int, **problem: Any) -> None:
        self.status, self.json = status, {"status": status, **problem}


Tamper = Callable[[Exchange], None]


class Cut(Exception):
    """Raised by a tamper: the connection ends without an answer."""


class Unasked(Exception):
    """Raised by `intercept`: the relay is not asked at all."""

    def __init__(self, status: int, value: Any) -> None:
        super().__init__(status)
        self.status = status
        self.value = value


class CheatingRelay:
    """Answers as the relay does, altered by `tamper`. `intercept` may answer in its place, by raising Unasked."""

    def __init__(self, relay: RelayInProcess) -> None:
        self.relay = relay
        self.url = ""
        self.be_honest()

    def be_honest(self) -> None:
        self.tamper: Tamper = lambda _: None
        self.intercept: Callable[[str, str, bytes], None] = lambda *_: None

    def exchange(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Exchange:
        path = target.partition("?")[0]
        try:
            self.intercept(method, path, body)
        except Unasked as answer:
            value = answer.value if isinstance(answer.value, bytes) else json.dumps(answer.value).encode()
            return Exchange(method, path, body, answer.status, {}, value)
        response = self.relay.answer(httpx.Request(method, self.url + target, headers=headers, content=body))
        kept = {name: value for name, value in response.headers.items() if name != "content-length"}
        exchange = Exchange(method, path, body, response.status_code, kept, response.read())
        self.tamper(exchange)
        return exchange


@contextmanager
def cheating(relay: RelayInProcess) -> Iterator[CheatingRelay]:
    """Run a cheating relay on a socket."""
    cheat = CheatingRelay(relay)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(cheat))
    cheat.url = relay.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield cheat
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler_of(cheat: CheatingRelay) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # an answer in one piece: its body else waits for the head to be acknowledged

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            try:
                exchange = cheat.exchange(self.command, self.path, dict(self.headers), body)
            except Cut:
                self.close_connection = True
                return
            self.send_response(exchange.status)
            for name, value in exchange.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(exchange.body)))
            self.end_headers()
            self.wfile.write(exchange.body)

        do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815 -- as http.server calls them

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler
