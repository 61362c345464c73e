"""A connection cut in each phase of a request and its answer: done whole or not at all, and once when repeated."""

import socket
import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from relay_protocol.chain import genesis
from relay_protocol.encoding import base64url
from tests.e2e.wire import Wire
from tests.figures import Report
from tests.http.device import Device, Json, uuid_of
from tests.http.served import GUARD_SECONDS
from tests.http.world import encode
from tools.embedded import EmbeddedRelay

pytestmark = pytest.mark.not_as_built("the door is the embedded server's in either case")

STEP_BYTES = 16
FIELD_BYTES = 64
"""An answer is so much shorter, at most, where the connection is not to be closed: by a header field."""
BLOB = bytes(range(256)) * 64
BLOB_STEP_BYTES = 2048


@pytest.fixture
def relay(home: Path) -> Iterator[EmbeddedRelay]:
    with EmbeddedRelay(home, RELAY_RATE_LIMIT="off") as relay:
        yield relay


@pytest.fixture
def wire(relay: EmbeddedRelay) -> Iterator[Wire]:
    with Wire(relay.port, Device.named("founder"), uuid_of("cut")) as wire:
        wire.found()
        yield wire


@pytest.fixture(params=["closed", "reset"])
def cut(request: pytest.FixtureRequest) -> str:
    """How a connection ends: as by a client that closes it, or as by one whose machine lost it."""
    return str(request.param)


def send_and_cut(wire: Wire, data: bytes, cut: str, read_bytes: int | None = None) -> int:
    """Send this on a connection of its own, read so much of the answer, and cut it; return how much was read."""
    with socket.create_connection(("127.0.0.1", wire.client.socket.getpeername()[1]), GUARD_SECONDS) as connection:
        connection.sendall(data)
        got = 0
        while read_bytes is not None and got < read_bytes:
            part = connection.recv(read_bytes - got)
            got += len(part)
            if not part:
                break
        if cut == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return got


def request(wire: Wire, changeset: Json, *fields: str) -> bytes:
    body = encode(changeset)
    return wire.head("POST", f"{wire.path}/changesets", body, [*fields, f"Content-Length: {len(body)}"]) + body


def held(relay: EmbeddedRelay) -> int:
    """Return how many connections and parts of uploads the server holds. Threads open their stores at any time."""
    found = []
    for descriptor in Path(f"/proc/{relay.pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            found.append(str(descriptor.readlink()))
    return sum(one.startswith("socket:") or ".uploads" in one for one in found)


def settle(wire: Wire, relay: EmbeddedRelay, files: int) -> None:
    """Return once the server holds no more than it did: it has let all go that was cut."""
    give_up = time.monotonic() + GUARD_SECONDS
    while held(relay) > files:
        assert time.monotonic() < give_up, "a connection that was cut is still held"
        assert wire.head_seq() >= 0


def test_a_push_whose_connection_is_cut_anywhere(wire: Wire, relay: EmbeddedRelay, cut: str, report: Report) -> None:
    """After connecting, in the request line, in the headers, in the body, before the answer, and in the answer."""
    probe = wire.device.changeset("the first")
    length = len(request(wire, probe))
    answer_bytes = send_and_cut(wire, request(wire, probe, "Connection: close"), "closed", 100_000)
    wire.head_seq()
    files = held(relay)
    seq, cuts = 1, 0
    for place in [*range(0, length, STEP_BYTES), length - 1]:
        changeset = wire.device.changeset(f"cut at {place}")
        send_and_cut(wire, request(wire, changeset)[:place], cut)
        assert wire.push(changeset).json["receipts"][0]["status"] == "created", "it was stored from a part of it"
        seq, cuts = seq + 1, cuts + 1
    for read in [None, *range(1, answer_bytes - FIELD_BYTES, STEP_BYTES)]:
        changeset = wire.device.changeset(f"read {read}")
        send_and_cut(wire, request(wire, changeset), cut, read)
        receipt = wire.push(changeset).json["receipts"][0]
        seq, cuts = seq + 1, cuts + 1
        assert receipt["seq"] == seq
        assert receipt["status"] == "duplicate" or read is None, "its answer had begun, and it was not stored"
    assert wire.head_seq() == seq
    settle(wire, relay, files)
    report("cuts", cuts)


def test_an_upload_whose_connection_is_cut_anywhere(wire: Wire, relay: EmbeddedRelay, cut: str, report: Report) -> None:
    """The blob is not there until all of it came; then it is, whether its sender heard so or not."""
    digest = base64url(sha256(BLOB).digest())
    body = {"sha256": digest, "size": len(BLOB), "key_id": "k1", "schema_version": 1}
    announced = wire.request(
        "POST", f"{wire.path}/snapshots", encode(body | {"covers": genesis(wire.vault_id).as_json()})
    )
    upload = announced.json["upload"]
    fields = "".join(f"{name}: {value}\r\n" for name, value in upload["headers"].items())
    path = urlsplit(upload["url"]).path
    head = f"PUT {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {len(BLOB)}\r\n{fields}\r\n".encode()
    complete = f"{wire.path}/snapshots/{digest}/complete"
    wire.head_seq()
    files = held(relay)
    places = [*range(0, len(head), STEP_BYTES), *range(len(head), len(head) + len(BLOB), BLOB_STEP_BYTES)]
    for place in places:
        send_and_cut(wire, (head + BLOB)[:place], cut)
        assert wire.request("POST", complete).code == "upload_incomplete"
    settle(wire, relay, files)
    assert not list((relay.folder / "blobs" / ".uploads").iterdir()), "a part of it stays"
    assert send_and_cut(wire, head + BLOB, cut, read_bytes=1) == 1
    assert wire.request("POST", complete).status == 200
    report("cuts", len(places) + 1)
