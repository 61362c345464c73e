"""Who reads too slowly is dropped by the embedded server; a long download that comes on is not."""

from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from local.bounds import KIB, MIB, Bounds
from relay.adapters.filesystem import FilesystemBlobs, Grant
from tests.http.device import uuid_of
from tests.http.served import Client, Gate, Served, served
from tests.http.world import SettableClock

GET = b"GET /health HTTP/1.1\r\nHost: relay.example\r\n\r\n"
LAST = b"GET /health HTTP/1.1\r\nHost: relay.example\r\nConnection: close\r\n\r\n"
SMALL_BUFFER_BYTES = 4 * KIB
SOON = 0.3
"""A bound in seconds that runs out while a test waits for it."""


def answering(size_bytes: int) -> Gate:
    gate = Gate("x" * size_bytes)
    gate.go.set()
    return gate


def send_and_not_read(server: Served, gate: Gate, request: bytes) -> Client:
    client = server.connect(receive_buffer_bytes=SMALL_BUFFER_BYTES)
    client.send(request)
    assert gate.entered.wait(30)
    return client


def read_while_others_are_served(server: Served, client: Client, piece_bytes: int) -> int:
    """Read to the end, after each piece having somebody else served; return how much it was."""
    other = server.connect()
    read_bytes = 0
    with suppress(ConnectionError):
        while piece := client.socket.recv(piece_bytes):
            read_bytes += len(piece)
            assert other.request("GET", "/nowhere").status == 404
    return read_bytes


def test_who_does_not_read_is_dropped() -> None:
    gate = answering(MIB)
    with served(gate, bounds=Bounds(idle_seconds=SOON), send_buffer_bytes=SMALL_BUFFER_BYTES) as server:
        client = send_and_not_read(server, gate, GET)
        server.wait_until(lambda: not server.connections)
        assert len(client.rest()) < MIB


def test_who_does_not_read_a_short_last_answer_is_dropped() -> None:
    gate = answering(60 * KIB)  # less than what makes the server wait for its reader
    with served(gate, bounds=Bounds(idle_seconds=SOON), send_buffer_bytes=SMALL_BUFFER_BYTES) as server:
        client = send_and_not_read(server, gate, LAST)
        server.wait_until(lambda: not server.connections)
        assert len(client.rest()) < 60 * KIB


def test_who_does_not_read_the_end_of_a_last_answer_is_dropped() -> None:
    gate = answering(MIB)
    with served(gate, bounds=Bounds(idle_seconds=SOON), send_buffer_bytes=SMALL_BUFFER_BYTES) as server:
        client = send_and_not_read(server, gate, LAST)
        server.wait_until(lambda: server.unread_bytes > 0)
        while server.unread_bytes > 16 * KIB:
            assert client.socket.recv(KIB)
        server.wait_until(lambda: not server.connections)


def test_who_reads_but_too_slowly_is_dropped() -> None:
    gate = answering(4 * MIB)
    bounds = Bounds(idle_seconds=SOON, grace_seconds=0, min_bytes_per_second=1000 * MIB)
    with served(gate, bounds=bounds, send_buffer_bytes=SMALL_BUFFER_BYTES) as server:
        client = send_and_not_read(server, gate, GET)
        assert read_while_others_are_served(server, client, KIB) < 4 * MIB


def test_a_long_download_that_comes_on_is_not_dropped(tmp_path: Path) -> None:
    blob, clock = b"\0" * 32 * MIB, SettableClock()
    blobs = FilesystemBlobs(tmp_path, b"k" * 32)
    key = f"{uuid_of('vault')}/{uuid_of('blob')}"
    expires_at_ms = clock.us // 1000 + 1000
    upload = blobs.begin_upload(Grant("PUT", key, expires_at_ms, len(blob), sha256(blob).digest()))
    upload.write(blob)
    upload.commit()
    upload.discard()
    url = blobs.presign_download(key, expires_at_ms, "")
    bounds = Bounds(idle_seconds=2 * SOON, grace_seconds=0, min_bytes_per_second=MIB)
    with served(bounds=bounds, blobs=blobs, clock=clock) as server:
        client = server.connect()
        client.send(f"GET {url} HTTP/1.1\r\nHost: relay.example\r\nConnection: close\r\n\r\n".encode())
        assert read_while_others_are_served(server, client, 16 * KIB) > len(blob)
