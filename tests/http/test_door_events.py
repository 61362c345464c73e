"""The embedded server makes of each request the event that API Gateway would, and lets nobody pose as another."""

from base64 import b64decode
from collections.abc import Iterator
from typing import Any

import pytest

from relay.config import Settings
from tests.http.served import PUSH, RecordingHandler, Reply, Served, served
from tests.http.world import World

VAULT_ID = "00000000-0000-4000-8000-000000000001"
PROXIES = ("127.0.0.0/8", "10.0.0.0/8", "2001:db8:1::/48")


@pytest.fixture(scope="module")
def handler() -> RecordingHandler:
    return RecordingHandler()


@pytest.fixture(scope="module")
def server(handler: RecordingHandler) -> Iterator[Served]:
    with served(handler) as running:
        yield running


@pytest.fixture(scope="module")
def behind_proxies(handler: RecordingHandler) -> Iterator[Served]:
    with served(handler, base_path="/relay", proxies=PROXIES) as running:
        yield running


def sent(handler: RecordingHandler, server: Served, method: str, target: str, *fields: str, body: bytes = b"") -> Any:
    """Send a request; return the event that the handler was given."""
    reply = server.connect().request(method, target, body, fields)
    assert reply.status == 200
    return handler.events[-1]


def source_ip(handler: RecordingHandler, server: Served, *forwarded: str) -> Any:
    fields = [f"X-Forwarded-For: {value}" for value in forwarded]
    return sent(handler, server, "GET", "/health", *fields)["requestContext"]["identity"]["sourceIp"]


def exchange(server: Served, request: bytes) -> Reply:
    client = server.connect()
    client.send(request)
    return client.reply()


def test_a_push_becomes_the_whole_event(handler: RecordingHandler, server: Served) -> None:
    event = sent(handler, server, "POST", PUSH, "Content-Type: application/json", body=b'{"\xff')
    context = event["requestContext"]
    assert len(context.pop("requestId")) == 36
    assert context.pop("requestTimeEpoch") > 1_700_000_000_000
    fields = {"host": ["relay.example"], "content-type": ["application/json"], "content-length": ["3"]}
    assert event == {
        "resource": "/vaults/{vault_id}/changesets",
        "path": PUSH,
        "httpMethod": "POST",
        "headers": {name: values[0] for name, values in fields.items()},
        "multiValueHeaders": fields,
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": {"vault_id": VAULT_ID},
        "stageVariables": None,
        "requestContext": {
            "path": PUSH,
            "httpMethod": "POST",
            "resourcePath": "/vaults/{vault_id}/changesets",
            "stage": "local",
            "identity": {"sourceIp": "127.0.0.1"},
            "domainName": "relay.example",
            "protocol": "HTTP/1.1",
        },
        "body": "eyL/",
        "isBase64Encoded": True,
    }


def test_no_body_is_none(handler: RecordingHandler, server: Served) -> None:
    event = sent(handler, server, "GET", "/health")
    assert (event["body"], event["isBase64Encoded"], event["pathParameters"]) == (None, False, None)


def test_a_chunked_body_arrives_whole_and_its_trailers_do_not(handler: RecordingHandler, server: Served) -> None:
    client = server.connect()
    head = f"POST {PUSH} HTTP/1.1\r\nHost: relay.example\r\nTransfer-Encoding: chunked\r\n\r\n"
    client.send(head.encode() + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-Forwarded-For: 192.0.2.1\r\nIf-Match: x\r\n\r\n")
    assert client.reply().status == 200
    event = handler.events[-1]
    assert b64decode(event["body"]) == b"abcde"
    assert event["headers"].keys() == {"host", "transfer-encoding"}


def test_every_value_of_a_repeated_field_is_kept_in_order(handler: RecordingHandler, server: Served) -> None:
    event = sent(handler, server, "GET", "/health", "Signature: a", "X-One: 1", "signature: b")
    assert event["multiValueHeaders"]["signature"] == ["a", "b"]
    assert event["headers"]["signature"] == "b"


def test_bytes_beyond_ascii_in_a_field_arrive_as_latin_1(handler: RecordingHandler, server: Served) -> None:
    assert sent(handler, server, "GET", "/health", "X-Name: \xe9")["headers"]["x-name"] == "\xe9"


@pytest.mark.parametrize(
    ("query", "parameters"),
    [
        ("since=1&limit=2", {"since": ["1"], "limit": ["2"]}),
        ("since=1&since=2&since=", {"since": ["1", "2", ""]}),
        ("since", {"since": [""]}),
        ("=x", {"": ["x"]}),
        ("%73ince=%31+%2B%20", {"since": ["1 + "]}),
        ("a;b=c", {"a;b": ["c"]}),
        ("n%C3%A9=%F0%9F%98%80", {"n\u00e9": ["\U0001f600"]}),
        ("&&", None),
    ],
)
def test_queries_are_decoded(
    handler: RecordingHandler, server: Served, query: str, parameters: dict[str, list[str]] | None
) -> None:
    event = sent(handler, server, "GET", f"{PUSH}?{query}")
    assert event["multiValueQueryStringParameters"] == parameters
    last = None if parameters is None else {name: values[-1] for name, values in parameters.items()}
    assert event["queryStringParameters"] == last
    assert event["requestContext"]["path"] == PUSH


@pytest.mark.parametrize("query", ["since=%FF", "%C3=1", "since=\xff"])
def test_a_query_that_is_not_utf_8_is_refused_by_the_real_handler(world: World, query: str) -> None:
    def handler(event: dict[str, Any], _: object) -> dict[str, Any]:
        answer = world.handle(event)
        return {"statusCode": answer.status, "headers": answer.headers, "body": answer.text}

    with served(handler) as server:
        reply = server.connect().request("GET", f"{PUSH}?{query}")
    assert (reply.status, reply.code) == (400, "malformed_request")


@pytest.mark.parametrize("target", ["/relay" + PUSH, PUSH], ids=["kept", "stripped"])
def test_the_base_path_is_known_whether_the_proxy_stripped_it_or_not(
    handler: RecordingHandler, behind_proxies: Served, target: str
) -> None:
    event = sent(handler, behind_proxies, "GET", target)
    assert (event["path"], event["requestContext"]["path"]) == (PUSH, "/relay" + PUSH)


@pytest.mark.parametrize(
    "target", ["/relayhealth", "/relay", "/relay/relay/health", "/health/", "//health", "/%68ealth", "/he%61lth", "/."]
)
def test_a_path_is_taken_as_it_was_sent(behind_proxies: Served, target: str) -> None:
    reply = behind_proxies.connect().request("GET", target)
    assert (reply.status, reply.code) == (404, "route_not_found")


@pytest.mark.parametrize("forwarded", [("192.0.2.1",), ("192.0.2.1, 127.0.0.1",), ("192.0.2.1", "192.0.2.2"), ("::1",)])
def test_nobody_can_name_another_address(handler: RecordingHandler, server: Served, forwarded: tuple[str, ...]) -> None:
    assert source_ip(handler, server, *forwarded) == "127.0.0.1"


def test_what_a_proxy_would_tell_is_dropped_from_anyone_else(handler: RecordingHandler, server: Served) -> None:
    names = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Proto")
    event = sent(handler, server, "GET", "/health", *(f"{name}: x" for name in names))
    assert event["multiValueHeaders"].keys() == event["headers"].keys() == {"host"}


def test_a_trusted_proxy_tells_the_scheme(handler: RecordingHandler, behind_proxies: Served) -> None:
    event = sent(handler, behind_proxies, "GET", "/health", "X-Forwarded-Proto: https")
    assert event["headers"]["x-forwarded-proto"] == "https"


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        (("192.0.2.1",), "192.0.2.1"),
        (("192.0.2.9, 192.0.2.1",), "192.0.2.1"),
        (("192.0.2.9", "192.0.2.1, 10.1.1.1"), "192.0.2.1"),
        (("192.0.2.9, 192.0.2.1", "10.1.1.1,10.2.2.2"), "192.0.2.1"),
        (("10.1.1.1, 10.2.2.2",), "10.1.1.1"),
        (("192.0.2.1:4711",), "192.0.2.1"),
        (("[2001:db8::1]:4711",), "2001:db8::1"),
        (("2001:db8::1",), "2001:db8::1"),
        (("2001:DB8:0::1, 2001:db8:1::7",), "2001:db8::1"),
        (("192.0.2.1, ::ffff:10.1.1.1",), "192.0.2.1"),
        (("::ffff:192.0.2.1",), "192.0.2.1"),
        (("192.0.2.1, nonsense",), "127.0.0.1"),
        (("192.0.2.1, 10.1.1.1, ",), "127.0.0.1"),
        (("",), "127.0.0.1"),
        ((), "127.0.0.1"),
    ],
)
def test_trusted_proxies_are_walked_from_the_right(
    handler: RecordingHandler, behind_proxies: Served, forwarded: tuple[str, ...], client: str
) -> None:
    assert source_ip(handler, behind_proxies, *forwarded) == client


def test_a_client_over_ipv6_is_known_by_its_address() -> None:
    handler = RecordingHandler()
    try:
        with served(handler, host="::1") as server:
            server.connect("::1").request("GET", "/health")
    except OSError:
        pytest.skip("no IPv6 on this machine")
    assert handler.events[-1]["requestContext"]["identity"]["sourceIp"] == "::1"


@pytest.mark.parametrize("hosts", [b"", b"Host: a\r\nHost: b\r\n", b"Host: a\r\nHost: a\r\n"])
def test_a_request_names_one_host(server: Served, hosts: bytes) -> None:
    reply = exchange(server, b"GET /health HTTP/1.1\r\n" + hosts + b"\r\n")
    assert (reply.status, reply.code) == (400, "malformed_request")


def test_a_load_balancer_that_speaks_http_1_0_needs_no_host(handler: RecordingHandler, server: Served) -> None:
    assert exchange(server, b"GET /health HTTP/1.0\r\n\r\n").status == 200
    assert handler.events[-1]["headers"] == {}
    assert exchange(server, b"GET /health HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n").status == 400


def test_a_base_path_comes_from_the_public_url() -> None:
    settings = Settings.from_environment({"RELAY_PUBLIC_URL": "https://relay.example/relay/"})
    assert settings.public_url == "https://relay.example/relay"
