"""Told to end, the embedded server takes nothing new and answers what is under way; told twice, it ends at once."""

import signal
from pathlib import Path

from local.bounds import KIB, MIB, Bounds
from relay.adapters.filesystem import FilesystemBlobs
from tests.http.device import uuid_of
from tests.http.served import PUSH, Client, Gate, RecordingHandler, Served, refuses_connections, served
from tests.http.world import SettableClock

GET = b"GET /health HTTP/1.1\r\nHost: relay.example\r\n\r\n"
UPLOAD = f"POST {PUSH} HTTP/1.1\r\nHost: relay.example\r\nContent-Length: 3\r\n\r\n".encode()


def under_way(server: Served, gate: Gate) -> Client:
    client = server.connect()
    client.send(GET)
    assert gate.entered.wait(30)
    return client


def time_passes() -> bool:
    """Return after a while: far more than a server takes to end that waits for nobody."""
    with served(bounds=Bounds(head_seconds=0.5)) as another:
        return another.connect().rest() == b""


def test_a_request_under_way_is_answered_and_new_ones_are_refused() -> None:
    gate = Gate()
    with served(gate) as server:
        client = under_way(server, gate)
        server.server.handle_exit(signal.SIGTERM, None)
        assert refuses_connections(server.port)
        assert time_passes()
        assert server.is_running
        gate.go.set()
        reply = client.reply()
        assert (reply.status, reply.headers["connection"], client.rest()) == (200, ["close"], b"")
        assert server.has_ended()


def test_a_body_under_way_is_taken_to_its_end() -> None:
    handler = RecordingHandler()
    with served(handler) as server:
        client = server.connect()
        client.send(UPLOAD + b"ab")
        server.catch_up()
        server.server.handle_exit(signal.SIGTERM, None)
        assert refuses_connections(server.port)
        client.send(b"c")
        assert client.reply().status == 200
        assert server.has_ended()
    assert len(handler.events) == 1


def test_requests_that_wait_for_their_turn_are_answered() -> None:
    gate = Gate()
    with served(gate) as server:
        client = server.connect()
        client.send(GET * 3)
        assert gate.entered.wait(30)
        server.server.handle_exit(signal.SIGTERM, None)
        assert refuses_connections(server.port)
        gate.go.set()
        assert [client.reply().status for _ in range(3)] == [200] * 3
        assert (client.rest(), server.has_ended()) == (b"", True)


def test_connections_without_a_request_do_not_hold_it_up() -> None:
    with served() as server:
        silent, half, idle, lingering = (server.connect() for _ in range(4))
        half.send(GET[:-2])
        idle.request("GET", "/health")
        lingering.send(b"\0")
        lingering.reply()
        server.catch_up()
        server.server.handle_exit(signal.SIGTERM, None)
        assert [client.rest() for client in (silent, half, idle, lingering)] == [b""] * 4
        assert server.has_ended()


def test_told_twice_it_ends_at_once() -> None:
    gate = Gate()
    with served(gate) as server:
        waiting, sending = under_way(server, gate), server.connect()
        sending.send(UPLOAD + b"a")
        server.catch_up()
        for _ in range(2):
            server.server.handle_exit(signal.SIGTERM, None)
        assert server.has_ended(), "though one is in the handler, and one still sends"
        for client in (waiting, sending):
            assert (client.reply().code, client.rest()) == ("unavailable", b"")
        gate.go.set()


def test_who_is_not_done_when_time_is_out_is_told_to_come_again() -> None:
    gate = Gate()
    with served(gate, bounds=Bounds(shutdown_seconds=1)) as server:
        client = under_way(server, gate)
        server.server.handle_exit(signal.SIGTERM, None)
        assert server.has_ended()
        reply = client.reply()
        assert (reply.status, reply.code, reply.headers["retry-after"]) == (503, "unavailable", ["2"])
        gate.go.set()


def test_told_twice_it_does_not_wait_for_a_reader_either(tmp_path: Path) -> None:
    clock, blobs = SettableClock(), FilesystemBlobs(tmp_path, b"k" * 32)
    key = f"{uuid_of('vault')}/{uuid_of('blob')}"
    blob = tmp_path / f"{key}.{'0' * 64}"
    blob.parent.mkdir()
    with blob.open("wb") as file:
        file.truncate(100 * MIB)
    url = blobs.presign_download(key, clock.us // 1000 + 1000, "")
    with served(blobs=blobs, clock=clock, bounds=Bounds(idle_seconds=1000)) as server:
        client = server.connect(receive_buffer_bytes=4096)
        client.send(f"GET {url} HTTP/1.1\r\nHost: relay.example\r\n\r\n".encode())
        server.wait_until(lambda: server.unread_bytes > 64 * KIB)
        for _ in range(2):
            server.server.handle_exit(signal.SIGTERM, None)
        assert server.has_ended()
        assert len(client.rest()) < 100 * MIB
