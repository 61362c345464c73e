"""API Gateway REST proxy events of signed requests, with a knob for everything that can be wrong with one."""

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nacl.signing import SigningKey

from relay.http.routes import resolve
from relay_protocol.errors import RouteNotFound
from relay_protocol.signing import Message, sign

Event = dict[str, Any]
Query = Sequence[tuple[str, str]]

HOST = "relay.example"
ADDRESS = "203.0.113.7"


@dataclass
class Draft:
    """A request before it is signed; `after_signing` then changes the event behind the signer's back."""

    method: str
    path: str
    key: SigningKey | None
    """Who signs; None for an unsigned request."""
    created: int
    query: Query = ()
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    address: str = ADDRESS
    stage: str = ""
    """What stands before the path where the client sends it: a stage or a base path."""
    base64: bool = False
    after_signing: list[Callable[[Event], None]] = field(default_factory=list)

    def event(self) -> Event:
        """Sign and write the event."""
        fields = {"host": HOST} | {name.lower(): value for name, value in self.headers.items()}
        if self.key is not None:
            message = Message(self.method, fields["host"], self.stage + self.path, self.query, fields, self.body)
            fields |= {name.lower(): value for name, value in sign(message, self.key, self.created).items()}
        body: str | None = self.body.decode() if self.body and not self.base64 else None
        if self.base64:
            body = b64encode(self.body).decode()
        event = gateway_event(
            self.method,
            self.path,
            headers=fields,
            query=self.query,
            body=body,
            address=self.address,
            stage=self.stage,
            is_base64=self.base64,
        )
        for change in self.after_signing:
            change(event)
        return event


def gateway_event(
    method: str,
    path: str,
    *,
    headers: Mapping[str, str],
    query: Query = (),
    body: str | None = None,
    address: str = ADDRESS,
    stage: str = "",
    is_base64: bool = False,
) -> Event:
    """Write an event as API Gateway does: its resource's template, several values as lists, the stage aside."""
    resource, parameters = _resource(path)
    queries: dict[str, list[str]] = {}
    for name, value in query:
        queries.setdefault(name, []).append(value)
    return {
        "resource": resource,
        "path": path,
        "httpMethod": method,
        "headers": dict(headers),
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": {name: values[-1] for name, values in queries.items()} or None,
        "multiValueQueryStringParameters": queries or None,
        "pathParameters": parameters or None,
        "requestContext": {"path": stage + path, "identity": {"sourceIp": address}},
        "body": body,
        "isBase64Encoded": is_base64,
    }


def _resource(path: str) -> tuple[str, dict[str, str]]:
    """Return the gateway's resource; the gateway does not judge ids, so a path with a bad one has a resource too."""
    try:
        route, ids = resolve(path)
    except RouteNotFound:
        return "/{proxy+}", {"proxy": path.removeprefix("/")}
    return route.resource, dict(ids)


def set_header(name: str, value: str) -> Callable[[Event], None]:
    """Return a change that puts another value into a header field, after signing."""

    def change(event: Event) -> None:
        event["multiValueHeaders"][name] = [value]
        event["headers"][name] = value

    return change


def edit_header(name: str, edit: Callable[[str], str]) -> Callable[[Event], None]:
    """Return a change that edits a header field, after signing."""

    def change(event: Event) -> None:
        set_header(name, edit(event["headers"][name]))(event)

    return change


def drop_header(name: str) -> Callable[[Event], None]:
    """Return a change that drops a header field, after signing."""

    def change(event: Event) -> None:
        event["multiValueHeaders"].pop(name, None)
        event["headers"].pop(name, None)

    return change
