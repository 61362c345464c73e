"""Who sends too slowly is dropped by the embedded server; who is slow but comes on, or waits for it, is not."""

from contextlib import suppress
from select import select

import pytest

from local.bounds import KIB, MIB, Bounds
from tests.http.served import MAX_BODY_BYTES, PUSH, Client, Gate, RecordingHandler, Served, served

LONG_BODY_BYTES = 100_000
GET = b"GET /health HTTP/1.1\r\nHost: relay.example\r\n\r\n"
HEAD = f"POST {PUSH} HTTP/1.1\r\nHost: relay.example\r\n".encode()
WITH_LENGTH = HEAD + b"Content-Length: %d\r\n\r\n" % LONG_BODY_BYTES
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
SOON = 0.3
"""A bound in seconds that runs out while a test waits for it."""


@pytest.fixture
def handler() -> RecordingHandler:
    return RecordingHandler()


def dribble(server: Served, client: Client, piece: bytes) -> None:
    """Send a piece again and again until the server hangs up, while it answers somebody else between all of them."""
    other = server.connect()
    with suppress(ConnectionError):
        for _ in range(10_000):
            assert other.request("GET", "/nowhere").status == 404
            if select([client.socket], [], [], 0)[0]:
                assert client.rest() == b""
                return
            client.send(piece)
        raise AssertionError("never dropped")


# ---------------------------------------------------------------- heads


@pytest.mark.parametrize("sent", [b"", b"\r\n", b"G", HEAD, GET + b"GET"], ids=["nothing", "CRLF", "G", "half", "next"])
def test_who_does_not_send_a_head_on_is_dropped(sent: bytes) -> None:
    with served(bounds=Bounds(head_seconds=SOON)) as server:
        client = server.connect()
        client.send(sent)
        if GET in sent:
            assert client.reply().status == 200
        assert client.rest() == b""
        assert server.connect().request("GET", "/nowhere").status == 404


def test_line_ends_after_an_answer_do_not_keep_a_connection() -> None:
    with served(bounds=Bounds(head_seconds=SOON)) as server:
        client = server.connect()
        assert client.request("GET", "/health").status == 200
        client.send(b"\r\n")
        assert client.rest() == b""


def test_a_head_that_comes_byte_by_byte_has_no_more_time(handler: RecordingHandler) -> None:
    with served(handler, bounds=Bounds(head_seconds=SOON)) as server:
        client = server.connect()
        client.send(HEAD + b"X-Long: ")
        dribble(server, client, b"a")
    assert handler.events == []


def test_who_sends_the_next_head_before_the_answer_still_gets_the_answer() -> None:
    gate = Gate()
    with served(gate, bounds=Bounds(head_seconds=SOON)) as server:
        client = server.connect()
        client.send(GET + GET + GET[:-2])  # the relay does not read on: the third is not late
        gate.entered.wait(30)
        assert server.connect().rest() == b"", "the bound has run out"
        gate.go.set()
        assert [client.reply().status for _ in range(2)] == [200, 200]


# ---------------------------------------------------------------- bodies


@pytest.mark.parametrize(
    "sent",
    [WITH_LENGTH, WITH_LENGTH + b"abc", CHUNKED, CHUNKED + b"5\r\nab", CHUNKED + b"0\r\n"],
    ids=["nothing", "part", "no chunk", "part of a chunk", "no last line"],
)
def test_who_does_not_send_a_body_on_is_dropped(handler: RecordingHandler, sent: bytes) -> None:
    with served(handler, bounds=Bounds(idle_seconds=SOON), max_body_bytes=LONG_BODY_BYTES) as server:
        client = server.connect()
        client.send(sent)
        assert client.rest() == b""
        assert server.connect().request("GET", "/nowhere").status == 404
    assert handler.events == []


@pytest.mark.parametrize(
    ("head", "piece"),
    [(WITH_LENGTH, b"a"), (CHUNKED, b"1\r\na\r\n"), (CHUNKED + b"1;", b"a")],
    ids=["length", "chunks", "chunk extension"],
)
def test_a_body_that_comes_byte_by_byte_is_dropped(handler: RecordingHandler, head: bytes, piece: bytes) -> None:
    bounds = Bounds(idle_seconds=SOON, grace_seconds=0, min_bytes_per_second=MIB)
    with served(handler, bounds=bounds, max_body_bytes=LONG_BODY_BYTES) as server:
        client = server.connect()
        client.send(head)
        dribble(server, client, piece)
    assert handler.events == []


def test_a_body_that_comes_on_slowly_is_taken(handler: RecordingHandler) -> None:
    with served(handler, bounds=Bounds(head_seconds=SOON, idle_seconds=3 * SOON)) as server:
        client = server.connect()
        client.send(HEAD + b"Content-Length: 6\r\n\r\n")
        for _ in range(6):
            client.send(b"a")
            assert server.connect().rest() == b"", "some time has passed"
        assert client.reply().status == 200


def test_a_sender_for_whom_the_relay_has_no_time_is_kept() -> None:
    gate = Gate()
    with served(gate, bounds=Bounds(idle_seconds=SOON)) as server:
        client = server.connect()
        client.send(CHUNKED + b"fffff\r\n" + b"x" * (MAX_BODY_BYTES + 1))
        gate.entered.wait(30)
        client.send(b"x" * 200 * KIB)  # more than the relay takes while it judges what came
        for _ in range(3):
            late = server.connect()
            late.send(CHUNKED)
            assert late.rest() == b"", "the bound has run out"
        gate.go.set()
        assert client.reply().status == 200


# ---------------------------------------------------------------- refused senders


@pytest.mark.parametrize(
    ("sent", "status"),
    [(b"POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n", 404), (b"\0", 400)],
    ids=["by the door", "below HTTP"],
)
class TestARefusedSender:
    def test_that_sends_on_for_ever_is_dropped(self, sent: bytes, status: int) -> None:
        with served(bounds=Bounds(linger_bytes=MIB)) as server:
            client = server.connect()
            client.send(sent)
            assert client.reply().status == status
            assert MIB <= client.send_until_closed(100 * MIB) < 100 * MIB

    def test_that_neither_goes_on_nor_goes_is_dropped(self, sent: bytes, status: int) -> None:
        with served(bounds=Bounds(linger_seconds=SOON, idle_seconds=1000)) as server:
            client = server.connect()
            client.send(sent)
            assert client.reply().status == status
            server.wait_until(lambda: not server.connections)
