"""No request hides in another: what two parsers could read in two ways, the embedded server refuses, and closes.

`test_server_requests.py` has what is no request at all. Here a proxy in front may have taken it,
and read something else.
"""

import socket
from collections.abc import Iterator

import pytest

from local.bounds import Bounds
from tests.http.served import PUSH, RecordingHandler, Served, served

POST = f"POST {PUSH} HTTP/1.1\r\nHost: relay.example\r\n".encode()
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
HIDDEN = b"GET /config HTTP/1.1\r\nHost: relay.example\r\n\r\n"
"""What an attacker would have the server answer to somebody else."""


@pytest.fixture(scope="module")
def handler() -> RecordingHandler:
    return RecordingHandler()


@pytest.fixture(scope="module")
def server(handler: RecordingHandler) -> Iterator[Served]:
    with served(handler, bounds=Bounds(linger_seconds=0.2)) as running:
        yield running


@pytest.fixture(autouse=True)
def _forget(handler: RecordingHandler) -> None:
    handler.events.clear()


def get(target: bytes, version: bytes = b"HTTP/1.1", host: bytes = b"Host: relay.example\r\n") -> bytes:
    return b"GET " + target + b" " + version + b"\r\n" + host + b"\r\n"


AMBIGUOUS = {
    "chunks by another name": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunks twice": POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "chunks in quotes": POST + b'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n',
    "chunks after a vertical tab": POST + b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
    "chunks with a parameter": POST + b"Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n",
    "chunks, then nothing": POST + b"Transfer-Encoding: chunked,\r\n\r\n0\r\n\r\n",
    "chunks, then identity": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "identity, then chunks": POST + b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a coding that nobody undoes": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "no coding": POST + b"Transfer-Encoding:\r\n\r\n",
    "chunks of HTTP/1.0": POST.replace(b"/1.1", b"/1.0") + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "the length twice": POST + b"Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
    "a list of lengths": POST + b"Content-Length: 0, 0\r\n\r\n",
    "an empty length": POST + b"Content-Length:\r\n\r\n",
    "a length of two words": POST + b"Content-Length: 0 1\r\n\r\n",
    "lines that end in LF": get(b"/health").replace(b"\r\n", b"\n"),
    "one line that ends in LF": POST + b"X-Field: a\nContent-Length: 5\r\n\r\n",
    "an empty line of LF": b"GET /health HTTP/1.1\r\nHost: relay.example\r\n\n",
    "lines that end in CR": get(b"/health").replace(b"\r\n", b"\r"),
    "a field that begins with white space": b"GET /health HTTP/1.1\r\n Host: relay.example\r\n\r\n",
    "a field without a name": POST + b": a\r\n\r\n",
    "a chunk's lines end in LF": CHUNKED + b"2\nab\n0\n\n",
    "white space after a chunk's size": CHUNKED + b"2 \r\nab\r\n0\r\n\r\n",
    "a chunk's size as in C": CHUNKED + b"0x2\r\nab\r\n0\r\n\r\n",
    "a chunk's size with a sign": CHUNKED + b"+2\r\nab\r\n0\r\n\r\n",
    "a chunk's size past 64 bits": CHUNKED + b"10000000000000002\r\nab\r\n0\r\n\r\n",
    "a chunk without a size": CHUNKED + b"\r\nab\r\n0\r\n\r\n",
    "LF in a chunk's extension": CHUNKED + b"2;a\nb\r\nab\r\n0\r\n\r\n",
    "NUL in a chunk's extension": CHUNKED + b"2;a\0\r\nab\r\n0\r\n\r\n",
    "no line's end after a chunk": CHUNKED + b"2\r\nab0\r\n\r\n",
    "a trailer that is no field": CHUNKED + b"0\r\nX Y: a\r\n\r\n",
    "a length among the trailers": CHUNKED + b"0\r\nContent-Length: 5\r\n\r\n",
    "chunks among the trailers": CHUNKED + b"0\r\nTransfer-Encoding: chunked\r\n\r\n",
    "another host in the target": get(b"http://elsewhere.example/health"),
    "a user in the target": get(b"http://user@relay.example/health"),
    "no path in the target": get(b"http://relay.example"),
    "a port in the target that is none": get(b"http://relay.example:x/health"),
    "a host for a target": b"CONNECT relay.example:80 HTTP/1.1\r\nHost: relay.example\r\n\r\n",
    "a tunnel with a body": b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    "a fragment": get(b"/health#/../config"),
    "white space in the target": get(b"/hea lth"),
    "a target beyond ASCII": get(b"/he\xc3\xa9"),
    "a target that begins with a backslash": get(b"\\health"),
    "a target that begins with a name": get(b"health"),
    "a version in lower case": get(b"/health", b"http/1.1"),
    "white space after the version": get(b"/health", b"HTTP/1.1 "),
    "HTTP/0.9": get(b"/health", b"HTTP/0.9"),
    "HTTP/1.2": get(b"/health", b"HTTP/1.2"),
    "a tab for a space": b"GET\t/health HTTP/1.1\r\nHost: relay.example\r\n\r\n",
    "two hosts in a field": get(b"/health", host=b"Host: relay.example, elsewhere.example\r\n"),
    "white space in the host": get(b"/health", host=b"Host: relay.example elsewhere.example\r\n"),
    "a path in the host": get(b"/health", host=b"Host: relay.example/config\r\n"),
    "a user in the host": get(b"/health", host=b"Host: user@relay.example\r\n"),
}


@pytest.mark.parametrize("request_bytes", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_what_is_ambiguous_is_refused_and_nothing_after_it_is_served(
    handler: RecordingHandler, server: Served, request_bytes: bytes
) -> None:
    client = server.connect()
    client.send(request_bytes + HIDDEN)
    reply = client.reply()
    assert (reply.status, reply.code, reply.headers["connection"]) == (400, "malformed_request", ["close"])
    assert client.rest() == b""
    assert handler.events == []


@pytest.mark.parametrize(
    ("request_bytes", "body"),
    [
        pytest.param(
            POST + b"tRANSFER-ENCODING:\tChunked \r\n\r\n2\r\nab\r\n0\r\n\r\n", "YWI=", id="chunks in any case"
        ),
        pytest.param(CHUNKED + b"0000000002\r\nab\r\n0\r\n\r\n", "YWI=", id="a size with zeros"),
        pytest.param(CHUNKED + b'2;a="b;c";d\r\nab\r\n0\r\n\r\n', "YWI=", id="extensions"),
        pytest.param(POST + b"Content-Length: 0002\r\n\r\nab", "YWI=", id="a length with zeros"),
        pytest.param(POST + b"Transfer_Encoding: chunked\r\nContent-Length: 2\r\n\r\nab", "YWI=", id="another field"),
        pytest.param(get(b"http://relay.example/health"), None, id="its own host in the target"),
        pytest.param(get(b"HTTP://RELAY.example/health"), None, id="its own host in capitals"),
        pytest.param(b"\r\n\r\n" + get(b"/health"), None, id="empty lines before it"),
        pytest.param(get(b"/health", host=b"Host: [2001:db8::1]:8787\r\n"), None, id="an address for a host"),
        pytest.param(get(b"/health", host=b"Host:\r\n"), None, id="an empty host"),
        pytest.param(POST + b"Expect: a miracle\r\nContent-Length: 2\r\n\r\nab", "YWI=", id="what nobody expects"),
    ],
)
def test_what_is_not_is_served_and_so_is_what_follows(
    handler: RecordingHandler, server: Served, request_bytes: bytes, body: str | None
) -> None:
    client = server.connect()
    client.send(request_bytes + HIDDEN)
    assert [client.reply().status for _ in range(2)] == [200, 200]
    assert [(event["path"], event["body"]) for event in handler.events][1] == ("/config", None)
    assert handler.events[0]["body"] == body


def test_a_body_that_looks_like_a_request_is_a_body(handler: RecordingHandler, server: Served) -> None:
    client = server.connect()
    client.send(b"GET /health HTTP/1.1\r\nHost: relay.example\r\nContent-Length: %d\r\n\r\n" % len(HIDDEN) + HIDDEN)
    assert client.reply().status == 200
    client.send(get(b"/health"))
    assert client.reply().status == 200
    assert [event["path"] for event in handler.events] == ["/health", "/health"]


@pytest.mark.parametrize("protocol", [b"h2c", b"websocket", b"TLS/1.0"])
def test_what_follows_a_request_for_another_protocol_is_not_served(
    handler: RecordingHandler, server: Served, protocol: bytes
) -> None:
    client = server.connect()
    fields = b"Host: relay.example\r\nConnection: Upgrade\r\nUpgrade: " + protocol + b"\r\n\r\n"
    client.send(b"GET /health HTTP/1.1\r\n" + fields + HIDDEN)
    assert client.reply().status == 200
    assert client.rest() == b""
    assert [event["path"] for event in handler.events] == ["/health"]


@pytest.mark.parametrize("step", [1, 1000], ids=["byte by byte", "at once"])
@pytest.mark.parametrize(
    "coded", [b"Content-Length: 2\r\n\r\nab", b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"]
)
def test_the_body_of_a_request_for_another_protocol_is_its_body(
    handler: RecordingHandler, server: Served, coded: bytes, step: int
) -> None:
    """As some clients offer HTTP/2 with each request. Without its body a push would be refused, however signed."""
    client = server.connect()
    request = POST + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAAA\r\n" + coded
    for start in range(0, len(request), step):
        client.send(request[start : start + step])
    client.send(HIDDEN + b"\0")
    assert client.reply().status == 200
    assert client.rest() == b""
    assert [(event["path"], event["body"]) for event in handler.events] == [(PUSH, "YWI=")]


def test_a_chunk_that_is_none_is_refused_there_too(handler: RecordingHandler, server: Served) -> None:
    client = server.connect()
    client.send(
        POST + b"Connection: Upgrade\r\nUpgrade: h2c\r\nTransfer-Encoding: chunked\r\n\r\n+2\r\nab\r\n0\r\n\r\n"
    )
    assert client.reply().code == "malformed_request"
    assert (client.rest(), handler.events) == (b"", [])


def test_a_tunnel_is_never_opened(handler: RecordingHandler, server: Served) -> None:
    client = server.connect()
    client.send(b"CONNECT /health HTTP/1.1\r\nHost: relay.example\r\n\r\n" + HIDDEN)
    client.reply("CONNECT")
    assert client.rest() == b""
    assert [(event["httpMethod"], event["path"]) for event in handler.events] == [("CONNECT", "/health")]


def test_what_a_client_of_http_1_0_expects_is_ignored(server: Served) -> None:
    """RFC 9110 §10.1.1: it would take `100 Continue` for the answer."""
    client = server.connect()
    client.send(POST.replace(b"/1.1", b"/1.0") + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\nab")
    assert client.reply().status == 200


# ---------------------------------------------------------------- half a connection


@pytest.mark.parametrize("count", [1, 3])
def test_who_has_sent_all_and_says_so_is_answered(handler: RecordingHandler, server: Served, count: int) -> None:
    """As `nc -N` does. A push would be stored, and its device never told."""
    client = server.connect()
    client.send((POST + b"Content-Length: 2\r\n\r\nab") * count)
    client.socket.shutdown(socket.SHUT_WR)
    assert [client.reply().status for _ in range(count)] == [200] * count
    assert client.rest() == b""
    assert len(handler.events) == count


@pytest.mark.parametrize("part", [b"", b"GET /hea", POST, POST + b"Content-Length: 5\r\n\r\nabc", CHUNKED + b"5\r\nab"])
def test_who_ends_in_the_midst_of_a_request_is_not(handler: RecordingHandler, server: Served, part: bytes) -> None:
    client = server.connect()
    client.send(part)
    client.socket.shutdown(socket.SHUT_WR)
    assert client.rest() == b""
    assert handler.events == []
