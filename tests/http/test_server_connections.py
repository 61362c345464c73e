"""More than the embedded server can hold at once: connections, and bodies in memory."""

from local.bounds import MIB, Bounds
from tests.http.served import MAX_BODY_BYTES, PUSH, Client, Gate, Reply, Served, served

HEAD = f"POST {PUSH} HTTP/1.1\r\nHost: relay.example\r\n".encode()


def ask(client: Client) -> Reply:
    return client.request("GET", "/health")


def busy(server: Served, gate: Gate) -> Client:
    """Return a connection whose request is in the handler."""
    client = server.connect()
    client.send(b"GET /health HTTP/1.1\r\nHost: relay.example\r\n\r\n")
    assert gate.entered.wait(30)
    return client


def test_the_newest_takes_the_place_of_an_idle_one() -> None:
    with served(bounds=Bounds(max_connections=3)) as server:
        old = [server.connect() for _ in range(3)]
        assert [ask(client).status for client in old] == [200] * 3
        new = server.connect()
        assert ask(new).status == 200
        assert server.connections == 3
        assert ask(new).status == 200


def test_without_an_idle_one_the_newest_is_told_to_come_again() -> None:
    gate = Gate()
    with served(gate, bounds=Bounds(max_connections=2)) as server:
        under_way = busy(server, gate)
        silent = server.connect()
        refused = server.connect()
        reply = refused.reply()
        assert (reply.status, reply.code, reply.headers["retry-after"]) == (503, "unavailable", ["2"])
        assert (reply.headers["connection"], refused.rest()) == (["close"], b"")
        gate.go.set()
        assert under_way.reply().status == 200
        assert ask(silent).status == 200


def test_who_is_refused_takes_no_place() -> None:
    gate = Gate()
    with served(gate, bounds=Bounds(max_connections=1)) as server:
        under_way = busy(server, gate)
        refused = [server.connect() for _ in range(20)]
        assert [client.reply().status for client in refused] == [503] * 20
        for client in refused:
            assert client.send_until_closed(100 * MIB) < 100 * MIB, "closed, whether it goes or not"
        gate.go.set()
        assert under_way.reply().status == 200


def test_a_place_that_was_left_is_free() -> None:
    with served(bounds=Bounds(max_connections=2)) as server:
        for _ in range(20):
            client = server.connect()
            assert ask(client).status == 200
            client.close()


def test_bodies_in_memory_are_bounded_all_together() -> None:
    head = HEAD + b"Content-Length: %d\r\n\r\n" % MAX_BODY_BYTES
    with served(bounds=Bounds(max_buffered_bytes=MAX_BODY_BYTES + 1)) as server:
        first = server.connect()
        first.send(head + b"x" * (MAX_BODY_BYTES - 1))
        server.catch_up()
        reply = server.connect().request("POST", PUSH, b"xxx")
        assert (reply.status, reply.code, reply.headers["retry-after"]) == (503, "unavailable", ["2"])
        assert server.connect().request("POST", PUSH, b"xx").status == 200
        first.send(b"x")
        assert first.reply().status == 200
        assert server.connect().request("POST", PUSH, b"x" * MAX_BODY_BYTES).status == 200, "all was given back"


def test_a_body_is_held_until_its_handler_is_done() -> None:
    gate = Gate()
    with served(gate, bounds=Bounds(max_buffered_bytes=MAX_BODY_BYTES)) as server:
        first = server.connect()
        first.send(HEAD + b"Content-Length: %d\r\n\r\n" % MAX_BODY_BYTES + b"x" * MAX_BODY_BYTES)
        assert gate.entered.wait(30)
        assert server.connect().request("POST", PUSH, b"x").status == 503
        gate.go.set()
        assert first.reply().status == 200
        assert server.connect().request("POST", PUSH, b"x" * MAX_BODY_BYTES).status == 200


def test_memory_is_given_back_by_who_breaks_off() -> None:
    head = HEAD + b"Content-Length: %d\r\n\r\n" % MAX_BODY_BYTES
    with served(bounds=Bounds(max_buffered_bytes=MAX_BODY_BYTES)) as server:
        for _ in range(3):
            client = server.connect()
            client.send(head + b"x" * (MAX_BODY_BYTES - 1))
            server.catch_up()
            client.close()
            server.catch_up()
        assert server.connect().request("POST", PUSH, b"x" * MAX_BODY_BYTES).status == 200
