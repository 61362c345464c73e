"""A signed request, as the event that a function gets and as the bytes that a client sends."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nacl.signing import SigningKey

from relay.http.routes import resolve
from relay_protocol.signing import Message, sign

Query = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Request:
    """What was signed, the fields that say so, and the status that is to answer it."""

    method: str
    path: str
    query: Query
    fields: dict[str, str]
    body: bytes
    expected: int

    def as_event(self) -> dict[str, Any]:
        """Return what API Gateway would hand to a function."""
        route, ids = resolve(self.path)
        return {
            "resource": route.resource,
            "path": self.path,
            "httpMethod": self.method,
            "headers": self.fields,
            "multiValueHeaders": {name: [value] for name, value in self.fields.items()},
            "queryStringParameters": dict(self.query) or None,
            "multiValueQueryStringParameters": {name: [value] for name, value in self.query} or None,
            "pathParameters": dict(ids) or None,
            "stageVariables": None,
            "requestContext": {"path": self.path, "identity": {"sourceIp": "203.0.113.7"}},
            "body": self.body.decode() or None,
            "isBase64Encoded": False,
        }

    def as_bytes(self) -> bytes:
        """Return what a client would send."""
        target = self.path + ("?" + "&".join(f"{name}={value}" for name, value in self.query) if self.query else "")
        length = [f"content-length: {len(self.body)}"] if self.body else []
        fields = [f"{name}: {value}" for name, value in self.fields.items()]
        return "\r\n".join([f"{self.method} {target} HTTP/1.1", *fields, *length, "", ""]).encode() + self.body


@dataclass(frozen=True)
class Signer:
    """Who signs, for which host, and when: Unix seconds."""

    key: SigningKey
    host: str
    created: int = field(kw_only=True)

    def request(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, query: Query = (), *, expected: int = 200
    ) -> Request:
        """Return a signed request."""
        text = json.dumps(body, separators=(",", ":")).encode() if body is not None else b""
        fields = {"host": self.host} | ({"content-type": "application/json"} if text else {})
        signature = sign(Message(method, self.host, path, query, fields, text), self.key, self.created)
        signed = {name.lower(): value for name, value in signature.items()}
        return Request(method, path, query, fields | signed, text, expected)
