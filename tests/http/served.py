"""The embedded server on a real socket, in a thread of the test, and clients that send it any bytes they like."""

import json
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from ipaddress import ip_network
from threading import Event, Thread
from typing import Any

from local.blob_routes import BlobRoutes
from local.bounds import KIB, Bounds
from local.door import Door
from local.events import Events
from local.grouping import Grouping
from local.pages import Pages
from local.server import Server, bind
from relay.adapters.filesystem import FilesystemBlobs
from relay.ports import GroupCommit
from tests.http.world import RecordingTelemetry, SettableClock

MAX_BODY_BYTES = 1000
GUARD_SECONDS = 30
"""After which a test fails rather than hangs."""
PUSH = "/vaults/00000000-0000-4000-8000-000000000001/changesets"

Response = dict[str, Any]


class RecordingHandler:
    """A handler that keeps the events it was given, and answers each with its body's length."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def __call__(self, event: dict[str, Any], _: object) -> Response:
        self.events.append(event)
        return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": "{}"}


class Gate:
    """A handler that is under way until it is let go."""

    def __init__(self, body: str = "{}") -> None:
        self.entered = Event()
        self.go = Event()
        self.body = body

    def __call__(self, _: dict[str, Any], __: object) -> dict[str, Any]:
        self.entered.set()
        self.go.wait(GUARD_SECONDS)
        return {"statusCode": 200, "headers": {}, "body": self.body}


@dataclass
class Reply:
    """An answer as it came. Header names are lower case, with the values in the order sent."""

    status: int
    headers: dict[str, list[str]]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return str(self.json["code"])


class Client:
    """A connection to the server under test. With a small receive buffer, little can be sent to who does not read."""

    def __init__(self, port: int, host: str = "127.0.0.1", receive_buffer_bytes: int | None = None) -> None:
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.socket.settimeout(GUARD_SECONDS)
        if receive_buffer_bytes is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        try:
            self.socket.connect((host, port))
        except OSError:
            self.socket.close()
            raise
        self._file = self.socket.makefile("rb")

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def request(self, method: str, target: str, body: bytes = b"", fields: Sequence[str] = ()) -> Reply:
        """Send a request as ordinary clients do, and return the answer."""
        lines = [f"{method} {target} HTTP/1.1", "Host: relay.example", *fields]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        return self.reply(method)

    def reply(self, method: str = "GET") -> Reply:
        """Read one answer."""
        status_line = self._file.readline()
        assert status_line, "the connection was closed without an answer"
        status = int(status_line.split()[1])
        headers: dict[str, list[str]] = {}
        while line := self._file.readline().decode("latin-1").strip():
            name, _, value = line.partition(": ")
            headers.setdefault(name.lower(), []).append(value)
        length = 0 if method == "HEAD" else int(headers.get("content-length", ["0"])[0])
        return Reply(status, headers, self._file.read(length))

    def rest(self) -> bytes:
        """Read until the server closes the connection, in whichever way."""
        try:
            return self._file.read()
        except ConnectionError:
            return b""

    def send_until_closed(self, at_most_bytes: int) -> int:
        """Send until the server has closed the connection; return how much that was."""
        sent_bytes = 0
        with suppress(ConnectionError):
            while sent_bytes < at_most_bytes:
                self.send(b"a" * KIB)
                sent_bytes += KIB
        return sent_bytes

    def close(self) -> None:
        self._file.close()
        self.socket.close()


def refuses_connections(port: int) -> bool:
    """Return once nobody can connect any more; False if that does not come to be."""
    give_up = time.monotonic() + GUARD_SECONDS
    while time.monotonic() < give_up:
        try:
            Client(port).close()
        except ConnectionRefusedError:
            return True
        except ConnectionResetError:  # it came in the moment of closing
            continue
    return False


class Served:
    """A running server."""

    def __init__(self, port: int, telemetry: RecordingTelemetry, server: Server, thread: Thread) -> None:
        self.port = port
        self.telemetry = telemetry
        self.server = server
        self._thread = thread
        self._clients: list[Client] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def connect(self, host: str = "127.0.0.1", receive_buffer_bytes: int | None = None) -> Client:
        client = Client(self.port, host, receive_buffer_bytes)
        self._clients.append(client)
        return client

    def catch_up(self) -> None:
        """Return once the server has read all that was sent so far: it takes what came in its order."""
        client = Client(self.port)
        client.request("GET", "/nowhere")
        client.close()

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Return once a condition holds; meanwhile others are served."""
        give_up = time.monotonic() + GUARD_SECONDS
        while not condition():
            assert time.monotonic() < give_up, "waited in vain"
            self.catch_up()

    @property
    def connections(self) -> int:
        """How many connections the server holds."""
        return len(self.server.server_state.connections)

    @property
    def unread_bytes(self) -> int:
        """How much the server still holds for its readers."""
        return sum(each.transport.get_write_buffer_size() for each in list(self.server.server_state.connections))

    @property
    def is_running(self) -> bool:
        return self._thread.is_alive()

    def has_ended(self) -> bool:
        """Wait for the end."""
        self._thread.join(GUARD_SECONDS)
        return not self.is_running

    def close_clients(self) -> None:
        for client in self._clients:
            client.close()


@contextmanager
def served(
    handler: Callable[[dict[str, Any], object], Response] | None = None,
    *,
    bounds: Bounds | None = None,
    max_body_bytes: int = MAX_BODY_BYTES,
    base_path: str = "",
    proxies: Sequence[str] = (),
    blobs: FilesystemBlobs | None = None,
    clock: SettableClock | None = None,
    host: str = "127.0.0.1",
    pages: Pages | None = None,
    send_buffer_bytes: int | None = None,
    log: GroupCommit | None = None,
) -> Iterator[Served]:
    """Run a server whose routes all go to one handler.

    `send_buffer_bytes` makes the system hold little of an answer for its reader; `log` commits pushes in groups.
    """
    handler = handler or RecordingHandler()
    bounds = bounds or Bounds()
    telemetry = RecordingTelemetry()
    threads = ThreadPoolExecutor(bounds.handler_threads)
    door = Door(
        handlers=dict.fromkeys(("changesets", "devices", "snapshots", "vaults"), handler),
        events=Events(base_path, tuple(ip_network(network) for network in proxies)),
        max_body_bytes=max_body_bytes,
        blobs=BlobRoutes(blobs, clock or SettableClock(), telemetry, threads, bounds) if blobs else None,
        pages=pages or Pages(),
        telemetry=telemetry,
        threads=threads,
        threads_of_large=threads,
        bounds=bounds,
        grouping=Grouping(log, bounds.max_group) if log else None,
    )
    ready = Event()
    listener = bind(host, 0)
    if send_buffer_bytes is not None:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer_bytes)
    server = Server(door, bounds, ready.set)
    thread = Thread(target=server.run, args=([listener],))
    thread.start()
    ready.wait(GUARD_SECONDS)
    running = Served(listener.getsockname()[1], telemetry, server, thread)
    try:
        yield running
    finally:
        running.close_clients()
        server.should_exit = True
        thread.join(GUARD_SECONDS)
        threads.shutdown()
