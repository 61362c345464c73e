"""What the embedded server answers: the handler's response as HTTP, its own refusals, and its two pages."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from local.pages import Pages
from tests.http.served import PUSH, Reply, Served, served

OPENAPI = {"openapi": "3.1.0", "info": {"title": "t"}, "paths": {}}


class Scripted:
    """A handler whose next response, or defect, a test sets."""

    def __init__(self) -> None:
        self.response: Any = None

    def __call__(self, _: dict[str, Any], __: object) -> dict[str, Any]:
        if isinstance(self.response, Exception):
            raise self.response
        answer: dict[str, Any] = self.response
        return answer


@pytest.fixture(scope="module")
def handler() -> Scripted:
    return Scripted()


@pytest.fixture(scope="module")
def server(handler: Scripted, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    openapi = tmp_path_factory.mktemp("schema") / "openapi.json"
    openapi.write_text(json.dumps(OPENAPI))
    with served(handler, pages=Pages(openapi)) as running:
        yield running


def answer(handler: Scripted, server: Served, response: Any, method: str = "GET") -> Reply:
    handler.response = response
    return server.connect().request(method, "/health")


def test_an_answer_carries_status_fields_body_length_and_date(handler: Scripted, server: Served) -> None:
    fields = {"Content-Type": "application/json", "X-Number": "1"}
    reply = answer(handler, server, {"statusCode": 201, "headers": fields, "body": '{"a":"é"}'})
    assert (reply.status, reply.body) == (201, '{"a":"é"}'.encode())
    date = reply.headers.pop("date")
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", date[0])
    assert reply.headers == {"content-type": ["application/json"], "x-number": ["1"], "content-length": ["10"]}


def test_several_values_of_a_field_are_several_lines(handler: Scripted, server: Served) -> None:
    response = {
        "statusCode": 200,
        "headers": {"X-Many": "dropped", "X-One": "1"},
        "multiValueHeaders": {"x-many": ["a", "b"]},
        "body": "",
    }
    reply = answer(handler, server, response)
    assert (reply.headers["x-many"], reply.headers["x-one"]) == (["a", "b"], ["1"])


def test_a_base64_body_is_decoded(handler: Scripted, server: Served) -> None:
    response = {"statusCode": 200, "headers": {}, "body": "//4=", "isBase64Encoded": True}
    assert answer(handler, server, response).body == b"\xff\xfe"


def test_204_has_neither_body_nor_length(handler: Scripted, server: Served) -> None:
    reply = answer(handler, server, {"statusCode": 204, "headers": {}, "body": ""})
    assert (reply.status, reply.body) == (204, b"")
    assert not {"content-length", "transfer-encoding"} & reply.headers.keys()


def test_head_is_answered_without_the_body(handler: Scripted, server: Served) -> None:
    handler.response = {"statusCode": 405, "headers": {}, "body": "no"}
    client = server.connect()
    assert client.request("HEAD", "/health").headers["content-length"] == ["2"]
    assert client.request("GET", "/health").body == b"no"


@pytest.mark.parametrize(
    "defect",
    [
        RuntimeError("secret"),
        {"statusCode": 200},
        {"statusCode": 200, "headers": {}, "body": "\ud800"},
        {"statusCode": 200, "headers": {}, "body": "x", "isBase64Encoded": True},
        {"statusCode": 200, "headers": {}, "body": "//4=!", "isBase64Encoded": True},
        None,
    ],
    ids=["raises", "no headers", "no text", "not base64", "nearly base64", "none"],
)
def test_a_defect_is_a_constant_500_that_the_log_explains(handler: Scripted, server: Served, defect: Any) -> None:
    server.telemetry.told.clear()
    reply = answer(handler, server, defect)
    ((request_id, _),) = server.telemetry.of("failed")
    problem = json.loads(reply.body)
    assert problem.pop("id") == request_id
    assert (reply.status, problem) == (
        500,
        {"type": "about:blank", "title": "The relay failed", "status": 500, "code": "internal"},
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Name", "a\r\nSet-Cookie: b"),
        ("X-Name", "a\nb"),
        ("X-Name", "a\0b"),
        ("X-Name", "a\x1bb"),
        ("X Name", "a"),
        ("", "a"),
    ],
)
def test_a_field_that_would_spoil_the_answer_is_never_written(
    handler: Scripted, server: Served, name: str, value: str
) -> None:
    reply = answer(handler, server, {"statusCode": 200, "headers": {name: value}, "body": ""})
    assert (reply.status, reply.code) == (500, "internal")


@pytest.mark.parametrize(("status", "body"), [(99, ""), (101, ""), (600, ""), (204, "x")])
def test_a_status_that_ends_no_exchange_is_never_written(
    handler: Scripted, server: Served, status: int, body: str
) -> None:
    reply = answer(handler, server, {"statusCode": status, "headers": {}, "body": body})
    assert (reply.status, reply.code) == (500, "internal")


@pytest.mark.parametrize("target", ["/", "/nowhere", "/vaults/1", "/blobs/x", "/vaults/../health", "*"])
def test_an_unknown_route_is_404(server: Served, target: str) -> None:
    reply = server.connect().request("GET", target)
    assert reply.status in {400, 404}
    assert reply.code in {"malformed_request", "route_not_found"}


def test_an_unknown_route_does_not_wait_for_its_body(server: Served) -> None:
    client = server.connect()
    client.send(b"POST /nowhere HTTP/1.1\r\nHost: relay.example\r\nContent-Length: 100000\r\n\r\nabc")
    reply = client.reply()
    assert (reply.code, reply.headers["connection"]) == ("route_not_found", ["close"])


def test_a_connection_serves_one_request_after_the_other(handler: Scripted, server: Served) -> None:
    handler.response = {"statusCode": 200, "headers": {}, "body": "ok"}
    client = server.connect()
    assert [client.request("POST", PUSH, b"x" * size).body for size in (1, 1000, 10)] == [b"ok"] * 3
    assert client.request("GET", "/nowhere").status == 404
    assert client.request("GET", "/health").body == b"ok"


def test_an_upgrade_is_declined_by_an_ordinary_answer(handler: Scripted, server: Served) -> None:
    handler.response = {"statusCode": 200, "headers": {}, "body": "ok"}
    client = server.connect()
    reply = client.request("GET", "/health", fields=["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c"])
    assert (reply.body, reply.headers["connection"], client.rest()) == (b"ok", ["close"], b"")


def test_a_body_is_taken_also_where_another_protocol_is_asked_for(handler: Scripted, server: Served) -> None:
    handler.response = {"statusCode": 200, "headers": {}, "body": "ok"}
    for protocol in ("h2c", "websocket"):
        client = server.connect()
        reply = client.request("POST", PUSH, b"abc", ["Connection: Upgrade", f"Upgrade: {protocol}"])
        assert (reply.body, client.rest()) == (b"ok", b"")


def test_http_1_0_is_answered_and_closed(handler: Scripted, server: Served) -> None:
    handler.response = {"statusCode": 200, "headers": {}, "body": "ok"}
    client = server.connect()
    client.send(b"GET /health HTTP/1.0\r\nHost: relay.example\r\n\r\n")
    assert (client.reply().body, client.rest()) == (b"ok", b"")


def test_fifty_requests_at_once_keep_their_own_identities() -> None:
    together = Barrier(16)

    def echo(event: dict[str, Any], _: object) -> dict[str, Any]:
        together.wait(30)  # sixteen are in the handler at once
        identity = [
            event["requestContext"]["identity"]["sourceIp"],
            event["headers"]["signature"],
            event["pathParameters"]["vault_id"],
            base64.b64decode(event["body"]).decode(),
        ]
        return {"statusCode": 200, "headers": {"X-Signature": identity[1]}, "body": json.dumps(identity)}

    with served(echo, proxies=["127.0.0.1"]) as server:

        def ask(number: int) -> tuple[list[str], list[str], list[str]]:
            vault_id = f"00000000-0000-4000-8000-{number:012d}"
            expected = [f"192.0.2.{number}", f"signature {number}", vault_id, f"body {number}"]
            fields = [f"X-Forwarded-For: {expected[0]}", f"Signature: {expected[1]}"]
            reply = server.connect().request("POST", f"/vaults/{vault_id}/changesets", expected[3].encode(), fields)
            return expected, json.loads(reply.body), reply.headers["x-signature"]

        with ThreadPoolExecutor(64) as clients:
            answers = list(clients.map(ask, range(64)))
    assert all(given == expected and field == [expected[1]] for expected, given, field in answers)


# ---------------------------------------------------------------- the pages


def test_openapi_json_is_served_as_it_is(server: Served) -> None:
    reply = server.connect().request("GET", "/openapi.json")
    assert (reply.status, reply.headers["content-type"]) == (200, ["application/json"])
    assert json.loads(reply.body) == OPENAPI


def test_the_docs_page_may_run_its_own_script_and_nothing_else(server: Served) -> None:
    reply = server.connect().request("GET", "/docs")
    (policy,) = reply.headers["content-security-policy"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    page = reply.body.decode()
    for tag in ("script", "style"):
        (content,) = re.findall(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert rules.pop(f"{tag}-src") == f"'sha256-{digest}'"
    assert rules == {
        "default-src": "'none'",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    assert not re.findall(r"\b(?:src|href)=\"(?!openapi\.json)", page)
    assert "innerHTML" not in page


@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
def test_pages_are_only_read(server: Served, path: str) -> None:
    reply = server.connect().request("POST", path, b"x")
    assert (reply.status, reply.code, reply.headers["allow"]) == (405, "method_not_allowed", ["GET"])


def test_without_the_description_there_are_no_pages(tmp_path: Path) -> None:
    assert Pages(tmp_path / "absent.json").answer("GET", "/docs") is None
