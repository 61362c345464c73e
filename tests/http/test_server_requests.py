"""What reaches the embedded server byte by byte: what is no request is refused, and never becomes another one."""

from base64 import b64decode
from collections.abc import Iterator
from select import select

import pytest

from local.bounds import Bounds
from tests.http.served import MAX_BODY_BYTES, PUSH, Client, RecordingHandler, Reply, Served, served

HEAD = f"POST {PUSH} HTTP/1.1\r\nHost: relay.example\r\n".encode()
MAX_HEAD_BYTES = 2000
MAX_HEAD_FIELDS = 20


@pytest.fixture(scope="module")
def handler() -> RecordingHandler:
    return RecordingHandler()


@pytest.fixture(scope="module")
def server(handler: RecordingHandler) -> Iterator[Served]:
    bounds = Bounds(max_head_bytes=MAX_HEAD_BYTES, max_head_fields=MAX_HEAD_FIELDS, linger_seconds=0.2)
    with served(handler, bounds=bounds) as running:
        yield running


@pytest.fixture(autouse=True)
def _forget(handler: RecordingHandler) -> None:
    handler.events.clear()


def exchange(server: Served, request: bytes) -> Reply:
    client = server.connect()
    client.send(request)
    return client.reply()


def send_until_answered(client: Client, piece: bytes) -> Reply:
    for _ in range(100_000):
        if select([client.socket], [], [], 0)[0]:
            return client.reply()
        client.send(piece)
    raise AssertionError("never answered")


def chunked(*chunks: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))


def body_seen(handler: RecordingHandler) -> bytes:
    (event,) = handler.events
    return b64decode(event["body"])


# ---------------------------------------------------------------- what is no request


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 TLS to a plain port\r\n\r\n", id="tls"),
        pytest.param(b"GET\r\n\r\n", id="no target"),
        pytest.param(b"GET /health\r\nHost: a\r\n\r\n", id="no version"),
        pytest.param(b"GET /health HTTP/2.0\r\nHost: a\r\n\r\n", id="another version"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", id="HTTP/2 at once"),
        pytest.param(b"GET /health HTTP/9.9\r\nHost: a\r\n\r\n", id="version"),
        pytest.param(b"G\0T /health HTTP/1.1\r\nHost: a\r\n\r\n", id="method"),
        pytest.param(b"GET /heal\0th HTTP/1.1\r\nHost: a\r\n\r\n", id="nul in the target"),
        pytest.param(HEAD + b"X-Field: a\0b\r\n\r\n", id="nul in a field"),
        pytest.param(HEAD + b"X Field: a\r\n\r\n", id="space in a name"),
        pytest.param(HEAD + b"X-Field : a\r\n\r\n", id="space before the colon"),
        pytest.param(HEAD + b"X-Field\r\n\r\n", id="no colon"),
        pytest.param(HEAD + b"X-Field: a\r\n folded\r\n\r\n", id="folded"),
        pytest.param(HEAD + b"X-Field: a\rb\r\n\r\n", id="bare CR"),
        pytest.param(
            HEAD + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", id="length and chunks"
        ),
        pytest.param(
            HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", id="chunks and length"
        ),
        pytest.param(HEAD + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", id="two lengths"),
        pytest.param(HEAD + b"Content-Length: +3\r\n\r\nabc", id="signed length"),
        pytest.param(HEAD + b"Content-Length: -3\r\n\r\nabc", id="negative length"),
        pytest.param(HEAD + b"Content-Length: 0x3\r\n\r\nabc", id="hexadecimal length"),
        pytest.param(HEAD + b"Content-Length: 99999999999999999999999999\r\n\r\nabc", id="huge length"),
        pytest.param(HEAD + b"Transfer-Encoding: gzip, chunked, identity\r\n\r\n", id="not chunked last"),
        pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n", id="chunk size"),
        pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\n-1\r\nabc\r\n0\r\n\r\n", id="negative chunk size"),
        pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nabc", id="huge chunk size"),
        pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n", id="chunk too long"),
    ],
)
def test_what_is_no_request_is_refused_and_the_connection_closed(
    handler: RecordingHandler, server: Served, request_bytes: bytes
) -> None:
    client = server.connect()
    client.send(request_bytes)
    reply = client.reply()
    assert (reply.status, reply.code, reply.headers["connection"]) == (400, "malformed_request", ["close"])
    assert reply.headers["content-type"] == ["application/problem+json"]
    assert client.rest() == b""
    assert handler.events == []


def test_a_request_cut_short_reaches_nobody(handler: RecordingHandler, server: Served) -> None:
    for part in (b"GET /hea", HEAD, HEAD + b"Content-Length: 5\r\n\r\nabc"):
        client = server.connect()
        client.send(part)
        client.close()
    assert exchange(server, b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n").status == 200
    assert [event["httpMethod"] for event in handler.events] == ["GET"]


def test_a_truncated_chunked_body_reaches_nobody(handler: RecordingHandler, server: Served) -> None:
    client = server.connect()
    client.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabc")
    client.close()
    assert exchange(server, b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n").status == 200
    assert [event["httpMethod"] for event in handler.events] == ["GET"]


# ---------------------------------------------------------------- heads


def head_of(size_bytes: int) -> bytes:
    """A head whose target and field lines make up exactly this size."""
    fixed = b"/health" + b"Host: relay.example\r\n" + b"X-Long: \r\n"
    long = b"a" * (size_bytes - len(fixed))
    return b"GET /health HTTP/1.1\r\nHost: relay.example\r\nX-Long: " + long + b"\r\n\r\n"


def test_a_head_of_the_largest_size_is_taken(server: Served) -> None:
    assert exchange(server, head_of(MAX_HEAD_BYTES)).status == 200


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(head_of(MAX_HEAD_BYTES + 1), id="one more"),
        pytest.param(head_of(50 * MAX_HEAD_BYTES), id="far more"),
        pytest.param(b"GET /" + b"a" * MAX_HEAD_BYTES, id="an endless target"),
        pytest.param(HEAD + b"X-" + b"a" * MAX_HEAD_BYTES, id="an endless name"),
        pytest.param(HEAD + b"X-Field: " + b"a" * MAX_HEAD_BYTES, id="an endless value"),
        pytest.param(HEAD + b"A: b\r\n" * MAX_HEAD_FIELDS + b"\r\n", id="a field too many"),
    ],
)
def test_a_head_that_is_too_large_is_refused_before_its_end(
    handler: RecordingHandler, server: Served, request_bytes: bytes
) -> None:
    client = server.connect()
    client.send(request_bytes)
    reply = client.reply()
    assert (reply.status, reply.headers["connection"]) == (431, ["close"])
    assert client.rest() == b""
    assert handler.events == []


def test_heads_are_judged_one_by_one_when_they_come_together(server: Served) -> None:
    client = server.connect()
    client.send(head_of(MAX_HEAD_BYTES) * 5)
    assert [client.reply().status for _ in range(5)] == [200] * 5


def test_a_head_in_pieces_is_judged_without_what_came_before_it(server: Served) -> None:
    client = server.connect()
    for _ in range(5):
        assert client.request("POST", PUSH, b"x" * MAX_BODY_BYTES).status == 200
        client.send(head_of(MAX_HEAD_BYTES - 100)[:-2])
        server.catch_up()
        client.send(b"\r\n")
        assert client.reply().status == 200


def test_a_later_head_that_is_too_large_reaches_nobody(handler: RecordingHandler, server: Served) -> None:
    client = server.connect()
    client.send(head_of(MAX_HEAD_BYTES) + head_of(MAX_HEAD_BYTES + 1))
    assert client.reply().status == 200
    assert client.rest()[:13] in {b"", b"HTTP/1.1 431 "}
    assert len(handler.events) == 1


def test_as_many_fields_as_are_allowed_are_taken(server: Served) -> None:
    fields = ["A: b"] * (MAX_HEAD_FIELDS - 1)
    assert server.connect().request("GET", "/health", fields=fields).status == 200


def test_trailers_are_dropped(handler: RecordingHandler, server: Served) -> None:
    trailers = b"3\r\nabc\r\n0\r\nSignature: forged\r\nHost: elsewhere\r\n\r\n"
    assert exchange(server, HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + trailers).status == 200
    (event,) = handler.events
    assert "signature" not in event["headers"]
    assert event["multiValueHeaders"]["host"] == ["relay.example"]


@pytest.mark.parametrize("endless", [b"0\r\n" + b"X-Trailer: a\r\n", b"1;" + b"a" * 100], ids=["trailers", "extension"])
def test_a_body_that_never_comes_on_is_refused(handler: RecordingHandler, server: Served, endless: bytes) -> None:
    client = server.connect()
    client.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + endless)
    assert send_until_answered(client, endless[-14:]).code == "malformed_request"
    assert client.rest() == b""
    assert handler.events == []


# ---------------------------------------------------------------- bodies


@pytest.mark.parametrize("size_bytes", [1, MAX_BODY_BYTES - 1, MAX_BODY_BYTES])
def test_a_body_up_to_the_limit_arrives_whole(handler: RecordingHandler, server: Served, size_bytes: int) -> None:
    body = b"x" * size_bytes
    assert server.connect().request("POST", PUSH, body).status == 200
    assert body_seen(handler) == body
    handler.events.clear()
    pieces = [body[:1], body[1:]] if body[1:] else [body]
    assert exchange(server, HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(*pieces)).status == 200
    assert body_seen(handler) == body


def test_a_longer_body_is_announced_to_the_handler_and_not_read(handler: RecordingHandler, server: Served) -> None:
    client = server.connect()
    client.send(HEAD + b"Content-Length: %d\r\n\r\n" % (MAX_BODY_BYTES + 1))  # and nothing of it
    assert client.reply().headers["connection"] == ["close"]
    (event,) = handler.events
    assert (event["headers"]["content-length"], event["body"]) == (str(MAX_BODY_BYTES + 1), None)


def test_of_a_longer_chunked_body_one_byte_too_many_is_read(handler: RecordingHandler, server: Served) -> None:
    client = server.connect()
    client.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"258\r\n" + b"x" * 600 + b"\r\n258\r\n" + b"x" * 600)
    assert client.reply().headers["connection"] == ["close"]
    assert len(body_seen(handler)) == MAX_BODY_BYTES + 1


def test_who_asks_before_sending_is_told_to_go_on(handler: RecordingHandler, server: Served) -> None:
    client = server.connect()
    client.send(HEAD + b"Content-Length: 3\r\nExpect: 100-continue\r\n\r\n")
    assert client.reply().status == 100
    client.send(b"abc")
    assert client.reply().status == 200
    assert body_seen(handler) == b"abc"


def test_who_asks_before_sending_too_much_is_not_told_to_go_on(server: Served) -> None:
    client = server.connect()
    client.send(HEAD + b"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n" % (MAX_BODY_BYTES + 1))
    assert client.reply().status == 200  # the handler's answer, which the test's handler gives to all
    assert client.rest() == b""


@pytest.mark.parametrize("target", [PUSH, "/nowhere"])
def test_who_is_refused_while_sending_can_send_on_and_read_why(target: str) -> None:
    with served() as server:
        body = b"x" * 8_000_000
        assert server.connect().request("POST", target, body).headers["connection"] == ["close"]


# ---------------------------------------------------------------- one after the other


def test_pipelined_requests_are_answered_in_their_order(handler: RecordingHandler, server: Served) -> None:
    client = server.connect()
    client.send(b"".join(HEAD + b"Content-Length: 2\r\n\r\n%02d" % number for number in range(10)))
    assert [client.reply().status for _ in range(10)] == [200] * 10
    assert [b64decode(event["body"]) for event in handler.events] == [b"%02d" % number for number in range(10)]


def test_a_body_is_never_taken_for_the_next_request(handler: RecordingHandler, server: Served) -> None:
    smuggled = b"DELETE /vaults/00000000-0000-4000-8000-000000000001 HTTP/1.1\r\nHost: a\r\n\r\n"
    unread = b"x" * MAX_BODY_BYTES + smuggled
    client = server.connect()
    client.send(b"POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(unread) + unread)
    assert client.reply().code == "route_not_found"
    assert client.rest() == b""
    client = server.connect()
    client.send(HEAD + b"Content-Length: %d\r\n\r\n" % len(unread) + unread)
    client.reply()
    assert client.rest() == b""
    assert [event["httpMethod"] for event in handler.events] == ["POST"]


def test_what_follows_a_refused_request_is_not_served(handler: RecordingHandler, server: Served) -> None:
    client = server.connect()
    client.send(HEAD + b"Content-Length: a\r\n\r\n" + b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
    assert client.reply().status == 400
    assert client.rest() == b""
    assert handler.events == []


def test_a_flood_of_pipelined_requests_is_bounded(handler: RecordingHandler) -> None:
    with served(handler, bounds=Bounds(max_pipelined_requests=4)) as server:
        client = server.connect()
        client.send(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n" * 1000)
        client.rest()
    assert 1 <= len(handler.events) <= 5
