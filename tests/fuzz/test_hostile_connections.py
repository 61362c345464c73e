"""Thousands of hostile connections leave the embedded server as it was: no memory, no open file, no 5xx.

The server is a process of its own, with the bounds that it has for everyone; what it holds is read from the system.
"""

import os
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fuzz.mutations import mutated
from tests.fuzz.wire import WIRE
from tools.embedded import EmbeddedRelay

ROUNDS = int(os.environ.get("RELAY_FUZZ_ROUNDS", "1"))
CONNECTIONS = 1500
"""Of each kind, in each round."""
GUARD_SECONDS = 30
MAX_GROWTH_BYTES = 40 * 1024 * 1024
"""A generous bound: a kilobyte that each request left behind would be far below what is sent, and far above it."""
HEAD = b"POST /devices HTTP/1.1\r\nHost: relay.example\r\n"
FILES_OF_THREADS = 64
"""A handler's thread opens its store when it first has a request; far below the thousands of connections."""
KINDS = {
    "mutated": b"",
    "broken off in the head": HEAD,
    "broken off in the body": HEAD + b"Content-Length: 100000\r\n\r\n" + b"x" * 50_000,
    "a chunk that never comes": HEAD + b"Transfer-Encoding: chunked\r\n\r\nffff\r\n" + b"x" * 20_000,
    "a head without end": HEAD + b"X-Long: " + b"a" * 70_000,
    "too many fields": HEAD + b"A: b\r\n" * 200 + b"\r\n",
    "a flood of pipelined requests": b"GET /health HTTP/1.1\r\nHost: relay.example\r\n\r\n" * 100,
    "a large body for nobody": b"POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n" + b"x" * 100_000,
}


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[EmbeddedRelay]:
    with EmbeddedRelay(tmp_path, RELAY_RATE_LIMIT="off", RELAY_LOG_LEVEL="ERROR") as running:
        yield running


def resident_bytes(relay: EmbeddedRelay) -> int:
    status = Path(f"/proc/{relay.pid}/status").read_text("ascii")
    found = re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024


def open_files(relay: EmbeddedRelay) -> int:
    return len(list(Path(f"/proc/{relay.pid}/fd").iterdir()))


def attack(relay: EmbeddedRelay, data: bytes, number: int) -> bytes:
    """Send it, read a little or nothing, and go, one in three with a reset."""
    with socket.create_connection(("127.0.0.1", relay.port), GUARD_SECONDS) as connection:
        if number % 3 == 0:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        try:
            connection.sendall(data)
            if number % 2:
                connection.shutdown(socket.SHUT_WR)
                return connection.recv(4096)
        except OSError:
            return b""  # it was closed on us, which is its right
    return b""


def attack_by_all(relay: EmbeddedRelay, count: int, offset: int) -> set[int]:
    """Make connections of each kind; return the statuses that were read."""
    wires = list(mutated(WIRE, [], count))
    statuses = set()
    for number in range(count):
        for kind, data in KINDS.items():
            if kind != "mutated" and number % 5:
                continue  # those that send much are fewer
            answer = attack(relay, data or wires[number][1:], number + offset)
            if answer.startswith(b"HTTP/1.1 "):
                statuses.add(int(answer[9:12]))
    return statuses


def is_served(relay: EmbeddedRelay) -> bool:
    request = b"GET /health HTTP/1.1\r\nHost: relay.example\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", relay.port), GUARD_SECONDS) as connection:
        connection.sendall(request)
        return connection.recv(4096).startswith(b"HTTP/1.1 200 ")


def wait_until_files_are_closed(relay: EmbeddedRelay, count: int) -> int:
    """Wait for the server to notice that all have gone; return how many files it has open then."""
    give_up = time.monotonic() + GUARD_SECONDS
    while open_files(relay) > count and time.monotonic() < give_up:
        assert is_served(relay)
    return open_files(relay)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="memory and open files are read from /proc")
def test_they_leave_nothing_behind(relay: EmbeddedRelay) -> None:
    attack_by_all(relay, 100, 0)  # after which all is imported, and every thread has started
    assert is_served(relay)
    files = open_files(relay) + FILES_OF_THREADS
    before = resident_bytes(relay)
    for turn in range(ROUNDS):
        statuses = attack_by_all(relay, CONNECTIONS, turn)
        assert {200, 400, 401, 404} <= statuses, "it was asked all kinds of things"
        assert max(statuses) < 500
        assert is_served(relay)
    assert wait_until_files_are_closed(relay, files) <= files
    assert resident_bytes(relay) - before < MAX_GROWTH_BYTES
