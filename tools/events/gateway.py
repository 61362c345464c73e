"""An API Gateway REST proxy event of a signed request, with every member that the service sends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from nacl.signing import SigningKey

from relay.http.routes import resolve
from relay_protocol.signing import Message, sign

HOST = "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com"
STAGE = "v1"
ADDRESS = "203.0.113.7"
ACCOUNT = "123456789012"


@dataclass(frozen=True)
class HttpRequest:
    """A request before it is signed. `key` signs it; None for one that needs no signature."""

    method: str
    path: str
    key: SigningKey | None = None
    query: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""


def event(request: HttpRequest, now_seconds: int) -> dict[str, Any]:
    """Return the event of a request that is signed now."""
    route, ids = resolve(request.path)
    path = f"/{STAGE}{request.path}"
    fields = {"Accept": "application/json", "Host": HOST, "User-Agent": "sync-relay-client", **request.headers}
    if request.key is not None:
        lower = {name.lower(): value for name, value in fields.items()}
        message = Message(request.method, HOST, path, request.query, lower, request.body.encode())
        fields |= sign(message, request.key, now_seconds)
    fields |= {"X-Forwarded-For": ADDRESS, "X-Forwarded-Port": "443", "X-Forwarded-Proto": "https"}
    return {
        "resource": route.resource,
        "path": request.path,
        "httpMethod": request.method,
        "headers": fields,
        "multiValueHeaders": {name: [value] for name, value in fields.items()},
        "queryStringParameters": dict(request.query) or None,
        "multiValueQueryStringParameters": {name: [value] for name, value in request.query} or None,
        "pathParameters": dict(ids) or None,
        "stageVariables": None,
        "requestContext": _context(request, route.resource, path, now_seconds),
        "body": request.body or None,
        "isBase64Encoded": False,
    }


def _context(request: HttpRequest, resource: str, path: str, now_seconds: int) -> dict[str, Any]:
    name = f"{request.method} {resource}"
    return {
        "accountId": ACCOUNT,
        "apiId": HOST.partition(".")[0],
        "domainName": HOST,
        "domainPrefix": HOST.partition(".")[0],
        "extendedRequestId": sha256(name.encode()).hexdigest()[:15] + "=",
        "httpMethod": request.method,
        "identity": {"sourceIp": ADDRESS, "userAgent": "sync-relay-client"},
        "path": path,
        "protocol": "HTTP/1.1",
        "requestId": "-".join(sha256(name.encode()).hexdigest()[place : place + 4] for place in range(0, 20, 4)),
        "requestTime": datetime.fromtimestamp(now_seconds, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "requestTimeEpoch": now_seconds * 1000,
        "resourceId": sha256(resource.encode()).hexdigest()[:6],
        "resourcePath": resource,
        "stage": STAGE,
    }
