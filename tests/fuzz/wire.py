"""Bytes on a connection of the embedded server: parsed, put into an event, answered by the relay, and never smuggled.

An input's first byte says in pieces of how many bytes the rest comes in, at least; 0 is for all at once. Connection,
door and relay are the real ones; the socket is not there, and what blocks runs in the event loop's own thread.
"""

import asyncio
import re
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import h11
from starlette.types import Message, Receive, Scope, Send

from local.blob_routes import BlobRoutes
from local.bounds import Bounds
from local.connection import BoundedConnection
from local.door import Door
from local.events import Events
from local.pages import Pages
from local.server import Server
from relay.adapters.filesystem import FilesystemBlobs
from relay.http import gateway
from tests.fuzz.request_text import read
from tests.fuzz.target import Target
from tests.fuzz.vault_world import DEVICES, VAULT_ID, VaultWorld, request_seeds
from tests.http.events import HOST, Draft
from tests.http.world import GROUPS, NOW_SECONDS

BOUNDS = Bounds(max_head_bytes=4000, max_head_fields=30, max_pipelined_requests=8)
HANG_SECONDS = 20
MAX_PIECES = 12
STEPS = 60
"""Turns of the event loop that the answers take at most."""

_STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5][0-9]{2}) [A-Za-z -]*\r\n")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+): ([^\x00-\x08\x0a-\x1f\x7f]*)\r\n")
P = ParamSpec("P")
T = TypeVar("T")


class AtOnce(Executor):
    """Runs what it is given in the thread that gives it."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        done: Future[T] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001 -- for who waits
            done.set_exception(error)
        return done


class Peer(asyncio.Transport):
    """Stands for the socket: keeps what is written, and reads all of it."""

    def __init__(self) -> None:
        super().__init__({"peername": ("192.0.2.7", 50000), "sockname": ("127.0.0.1", 8787)})
        self.written = bytearray()
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self.closed:
            self.written += data

    def write_eof(self) -> None: ...

    def close(self) -> None:
        self.closed = True

    abort = close

    def is_closing(self) -> bool:
        return self.closed

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...


@dataclass
class Seen:
    """A request as the door was given it, or as another parser reads it."""

    method: str
    target: str
    body: bytearray = field(default_factory=bytearray)
    is_whole: bool = False


@cache
def _blobs() -> FilesystemBlobs:
    return FilesystemBlobs(Path(tempfile.mkdtemp(prefix="fuzz-blobs-")), b"k" * 32)


_vaults = VaultWorld()


def check(data: bytes) -> None:
    """Serve a connection that sends these bytes and ends."""
    world = _vaults.vault().world
    seen: list[Seen] = []
    written = asyncio.run(_served(data, world, seen))
    statuses = read_answers(written)
    assert all(status < 500 or status == 507 for status in statuses), statuses
    assert not world.telemetry.of("failed")
    assert len(seen) <= BOUNDS.max_pipelined_requests + 1
    _compare(seen, _as_h11_reads(data[1:]))
    if any(one.method in {"POST", "DELETE"} for one in seen) and {200, 201, 204} & set(statuses):
        _vaults.spend()


async def _served(data: bytes, world: Any, seen: list[Seen]) -> bytes:
    threads = AtOnce()

    def handler(group: str) -> Callable[[dict[str, Any], object], Any]:
        return lambda event, _: gateway.handle(world.relay, GROUPS[group], event)

    door = Door(
        handlers={group: handler(group) for group in GROUPS},
        events=Events("", ()),
        max_body_bytes=world.relay.settings.limits.max_body_bytes,
        blobs=BlobRoutes(_blobs(), world.clock, world.telemetry, threads, BOUNDS),
        pages=_pages(),
        telemetry=world.telemetry,
        threads=threads,
        threads_of_large=threads,
        bounds=BOUNDS,
    )
    server = Server(_recording(door, seen), BOUNDS, lambda: None)
    server.config.load()
    peer, connection = Peer(), BoundedConnection(BOUNDS, server.config, server.server_state, {})
    connection.connection_made(peer)
    size = max(data[0], len(data) // MAX_PIECES) if data and data[0] else max(1, len(data))
    for start in range(1, len(data), size):
        if peer.closed:
            break
        connection.data_received(data[start : start + size])
        await asyncio.sleep(0)
    for _ in range(STEPS):
        await asyncio.sleep(0)
        if not server.server_state.tasks:
            break
    connection.connection_lost(None)
    if server.server_state.tasks:
        _, hanging = await asyncio.wait(server.server_state.tasks, timeout=HANG_SECONDS)
        assert not hanging, "a request goes on although its client is gone"
    assert not server.server_state.connections
    return bytes(peer.written)


@cache
def _pages() -> Pages:
    return Pages()


def _recording(door: Door, seen: list[Seen]) -> Any:
    """Note what the door is given."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        query = scope["query_string"]
        target = scope["raw_path"] + (b"?" + query if query else b"")
        one = Seen(scope["method"], target.decode("latin-1"))
        seen.append(one)

        async def noting() -> Message:
            message = await receive()
            if message["type"] == "http.request":
                one.body += message["body"]
                one.is_whole = not message["more_body"]
            return message

        await door(scope, noting, send)

    return app


def read_answers(written: bytes) -> list[int]:
    """Read the answers as strictly as any client might; return their status codes."""
    statuses, rest = [], written
    while rest:
        match = _STATUS_LINE.match(rest)
        assert match, f"no status line: {rest[:60]!r}"
        status, rest = int(match[1]), rest[match.end() :]
        fields: dict[str, str] = {}
        while not rest.startswith(b"\r\n"):
            line = _FIELD.match(rest)
            assert line, f"no field line: {rest[:60]!r}"
            name = line[1].decode().lower()
            assert name not in fields, f"{name} twice"
            fields[name] = line[2].decode("latin-1")
            rest = rest[line.end() :]
        rest = rest[2:]
        if status == 100:
            continue
        statuses.append(status)
        length = int(fields.get("content-length", "0"))
        if len(rest) < length:
            break  # to a HEAD, or cut off as the client left
        rest = rest[length:] if not rest.startswith(b"HTTP/1.1 ") else rest
    return statuses


def _as_h11_reads(data: bytes) -> list[Seen]:
    """Read the requests by an independent parser, up to where it refuses."""
    requests: list[Seen] = []
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=1_000_000)
    try:
        connection.receive_data(data)
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Request):
                requests.append(Seen(event.method.decode(), event.target.decode("latin-1")))
            elif isinstance(event, h11.Data):
                requests[-1].body += event.data
            elif isinstance(event, h11.EndOfMessage):
                requests[-1].is_whole = True
                connection.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
                connection.send(h11.EndOfMessage())
                if connection.our_state is h11.MUST_CLOSE:
                    break
                connection.start_next_cycle()
            else:
                break
    except h11.ProtocolError:
        pass
    return requests


def _compare(seen: Sequence[Seen], read_by_h11: Sequence[Seen]) -> None:
    """Two parsers that both take a request take the same one: else one could hide in another."""
    for ours, theirs in zip(seen, read_by_h11, strict=False):
        if not _is_origin_form(theirs.target):
            return
        assert (ours.method, ours.target) == (theirs.method, theirs.target.partition("#")[0].removesuffix("?"))
        if ours.is_whole and theirs.is_whole:
            assert ours.body == theirs.body


def _is_origin_form(target: str) -> bool:
    return target.startswith("/")


def seeds() -> Sequence[bytes]:
    """Return signed requests for each route, transfers of blobs, chunked bodies, and several in a row."""
    wires = [_wire(text) for text in request_seeds()]
    key = f"{VAULT_ID}/00000000-0000-4000-8000-000000000002"
    expires_at_ms = NOW_SECONDS * 1000 + 1000
    grant = _blobs().presign_upload(key, 5, sha256(b"bytes").digest(), expires_at_ms, "")
    wires.append(f"PUT {grant.url} HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 5\r\n\r\nbytes".encode())
    download = _blobs().presign_download(key, expires_at_ms, "")
    wires.append(f"GET {download} HTTP/1.1\r\nHost: {HOST}\r\nRange: bytes=1-2\r\n\r\n".encode())
    chunked = b"POST /devices HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    wires.append(chunked + b"3\r\n{}\n\r\n2;x=y\r\n{}\r\n0\r\nX: y\r\n\r\nGET /health HTTP/1.1\r\nHost: a\r\n\r\n")
    wires.append(wires[0] + wires[1] + b"OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    return [bytes([size]) + wire for wire in wires for size in (0, 7)]


def _wire(seed: bytes) -> bytes:
    text = read(seed)
    signer = DEVICES[text.joined()["by"]]
    headers = {name: value for name, value in text.fields if name != "by"}
    event = Draft(text.method, text.path, signer.key, NOW_SECONDS, text.query, headers, text.body, base64=True).event()
    fields = event["headers"] | ({"content-length": str(len(text.body))} if text.body else {})
    lines = [f"{text.method} {text.target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode() + text.body


WIRE = Target(
    "wire",
    check,
    seeds,
    words=(
        b"\r\n\r\n",
        b"Content-Length: 5\r\n",
        b"Content-Length: 0\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Transfer-Encoding:\x0bchunked\r\n",
        b"Expect: 100-continue\r\n",
        b"Connection: close\r\n",
        b"Connection: upgrade\r\nUpgrade: h2c\r\n",
        b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n",
        b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET http://b/health HTTP/1.1\r\nHost: a\r\n\r\n",
        b" HTTP/1.0\r\n",
        b"0\r\n\r\n",
        b"5\r\nhello\r\n",
        b"fffffffffffffffff\r\n",
        b";a=b",
        b"Range: bytes=0-0\r\n",
        b"Range: bytes=-1\r\n",
        b"HEAD ",
        b"PUT ",
        b"/blobs/",
    ),
)
