"""Pushes that are committed together: each client gets its own answer, after the commit; nobody else waits for it."""

from base64 import b64decode
from collections.abc import Callable, Iterator, Sequence
from threading import Event
from typing import Any, TypeVar

import pytest

from local.bounds import Bounds
from tests.http.served import GUARD_SECONDS, PUSH, Client, Response, Served, served

T = TypeVar("T")
MAX_GROUP = 4
BOUNDS = Bounds(max_group=MAX_GROUP, max_grouped_body_bytes=100)


class Commits:
    """A log whose commits are held until they are let go."""

    def __init__(self) -> None:
        self.groups: list[int] = []
        self.fails: BaseException | None = None
        self.begun, self.go = Event(), Event()

    def together(self, calls: Sequence[Callable[[], T]]) -> list[T]:
        self.groups.append(len(calls))
        results = [call() for call in calls]
        self.begun.set()
        assert self.go.wait(GUARD_SECONDS)
        if self.fails:
            raise self.fails
        return results


def echo(event: dict[str, Any], _: object) -> Response:
    """Answer with the body, and fail as a defect where it says so."""
    body = b64decode(event["body"] or b"").decode()
    return {"statusCode": 200, "headers": {}, "body": body}


@pytest.fixture
def log() -> Iterator[Commits]:
    commits = Commits()
    yield commits
    commits.go.set()


@pytest.fixture
def server(log: Commits) -> Iterator[Served]:
    with served(echo, bounds=BOUNDS, log=log) as running:
        yield running
        log.go.set()


def push(server: Served, body: str) -> Client:
    """Send a push, and wait for no answer."""
    client = server.connect()
    client.send(f"POST {PUSH} HTTP/1.1\r\nHost: r\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
    return client


def gathered(server: Served, log: Commits, bodies: Sequence[str]) -> list[Client]:
    """Send pushes that wait while the first one's commit is held."""
    first = push(server, "first")
    assert log.begun.wait(GUARD_SECONDS)
    clients = [first, *(push(server, body) for body in bodies)]
    assert server.connect().request("GET", "/health").status == 200  # what was sent before has been read
    return clients


def test_who_comes_while_a_commit_is_under_way_shares_the_next_one_and_gets_its_own_answer(
    server: Served, log: Commits
) -> None:
    bodies = [f"body {number}" for number in range(MAX_GROUP)]
    clients = gathered(server, log, bodies)
    log.go.set()
    assert [client.reply().body.decode() for client in clients] == ["first", *bodies]
    assert log.groups == [1, MAX_GROUP]


def test_a_group_is_bounded_and_keeps_the_order(server: Served, log: Commits) -> None:
    clients = gathered(server, log, [str(number) for number in range(2 * MAX_GROUP + 1)])
    log.go.set()
    assert [client.reply().body for client in clients[1:]] == [b"%d" % number for number in range(2 * MAX_GROUP + 1)]
    assert log.groups == [1, MAX_GROUP, MAX_GROUP, 1]


def test_nobody_is_answered_before_the_commit(server: Served, log: Commits) -> None:
    client = push(server, "first")
    assert log.begun.wait(GUARD_SECONDS)
    client.socket.settimeout(0.2)
    with pytest.raises(TimeoutError):
        client.socket.recv(1)
    log.go.set()


def test_pulls_and_large_pushes_do_not_wait_for_a_groups_commit(server: Served, log: Commits) -> None:
    gathered(server, log, [])
    assert server.connect().request("GET", PUSH).status == 200
    assert server.connect().request("POST", PUSH, b"a" * 101).body == b"a" * 101
    assert log.groups == [1]


def test_a_push_of_the_largest_size_is_grouped(server: Served, log: Commits) -> None:
    log.go.set()
    assert server.connect().request("POST", PUSH, b"a" * 100).status == 200
    assert log.groups == [1]


def test_who_has_gone_costs_the_others_nothing(server: Served, log: Commits) -> None:
    clients = gathered(server, log, ["gone", "stays"])
    clients[1].close()
    assert server.connect().request("GET", "/health").status == 200
    log.go.set()
    assert clients[2].reply().body == b"stays"


def test_a_defect_of_the_log_is_told_to_all_of_the_group_and_the_next_one_is_served(
    server: Served, log: Commits
) -> None:
    log.fails = LookupError("secret")
    clients = gathered(server, log, ["one", "two"])
    log.go.set()
    replies = [client.reply() for client in clients]
    assert {(reply.status, reply.code) for reply in replies} == {(500, "internal")}
    assert not any(b"secret" in reply.body for reply in replies)
    log.fails = None
    assert server.connect().request("POST", PUSH, b"three").body == b"three"
