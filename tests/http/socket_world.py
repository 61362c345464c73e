"""A relay behind the embedded server on a real socket, for requests that are written as events."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

from relay.http import gateway
from relay.http.routes import ROUTES
from relay_protocol.limits import Limits
from tests.http.documented import Answer, check
from tests.http.events import Event
from tests.http.served import Reply, Served, served
from tests.http.world import GROUPS, World


class SocketRelay:
    """Sends events as HTTP to a relay's server. Whatever happens before the relay's handlers happens here, too."""

    def __init__(self, server: Served) -> None:
        self._server = server

    def send(self, event: Event) -> Answer:
        """Send an event's request on a connection of its own; return an answer that the protocol knows."""
        reply = self.reply(event)
        headers = {name: ", ".join(values) for name, values in reply.headers.items()}
        answer = Answer(reply.status, headers, reply.body.decode())
        check(answer, event["resource"], event["httpMethod"])
        assert int(headers.get("content-length", "0")) == len(reply.body)
        return answer

    def reply(self, event: Event) -> Reply:
        """Return the answer's parts as they came."""
        body = (event["body"] or "").encode()
        query = urlencode(event["multiValueQueryStringParameters"] or {}, doseq=True)
        target = event["requestContext"]["path"] + (f"?{query}" if query else "")
        fields = [f"{name}: {value}" for name, value in event["headers"].items()]
        if body:
            fields.append(f"content-length: {len(body)}")
        client = self._server.connect()
        client.send("\r\n".join([f"{event['httpMethod']} {target} HTTP/1.1", *fields, "", ""]).encode() + body)
        try:
            return client.reply(event["httpMethod"])
        finally:
            client.close()


@contextmanager
def behind_a_socket(world: World) -> Iterator[SocketRelay]:
    """Serve a world's relay."""

    def handler(event: dict[str, Any], _: object) -> dict[str, Any]:
        return gateway.handle(world.relay, GROUPS[ROUTES[event["resource"]].group], event)

    with served(handler, max_body_bytes=Limits().max_body_bytes, clock=world.clock) as server:
        yield SocketRelay(server)
