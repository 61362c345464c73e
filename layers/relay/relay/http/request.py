"""An API Gateway REST proxy event as a typed request."""

from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from relay.http.routes import ROUTES, Route, resolve
from relay_protocol.errors import MalformedRequest, MethodNotAllowed, RouteNotFound
from relay_protocol.signing import Message

Event = Mapping[str, Any]


@dataclass(frozen=True)
class Request:
    """What the relay reads of an event. Header names are lower case, several values joined (RFC 9110 §5.3)."""

    id: str
    route: Route
    ids: Mapping[str, str]
    """The ids in the path, by their names in the route's template."""
    method: str
    authority: str
    """The authority that the client used: the `Host` it sent, or the configured public one."""
    path: str
    """The path that the client sent, with any stage or base path."""
    origin: str
    """The relay's base URL as the client sees it."""
    headers: Mapping[str, str]
    query: Sequence[tuple[str, str]]
    body: bytes
    declared_bytes: int
    """The body's length: what is there, or what `Content-Length` announced of a body that was not read."""
    address: str
    """The client's address, as the connection or a trusted proxy names it."""

    @cached_property
    def message(self) -> Message:
        """What a signature can cover."""
        return Message(self.method, self.authority, self.path, self.query, self.headers, self.body)

    @property
    def vault_id(self) -> str | None:
        """The vault that the path names."""
        return self.ids.get("vault_id")

    def check_query(self, known: frozenset[str]) -> None:
        """Raise MalformedRequest for a query parameter that is unknown or was sent twice."""
        names = [name for name, _ in self.query]
        if len(set(names)) != len(names) or not known.issuperset(names):
            raise MalformedRequest


def read_event(event: Event, request_id: str, public_url: str | None) -> Request:
    """Read an event. Raises RouteNotFound or MethodNotAllowed; on a body that is not base64, MalformedRequest."""
    route, ids = _route(event)
    method = str(event["httpMethod"])
    if method not in route.methods:
        raise MethodNotAllowed(route.methods)
    context = event["requestContext"]
    headers = _headers(event)
    path = str(context.get("path") or event["path"])
    body = _body(event)
    host = headers.get("host", "")
    authority = urlsplit(public_url).netloc if public_url else host
    return Request(
        id=request_id,
        route=route,
        ids=ids,
        method=method,
        authority=authority,
        path=path,
        origin=public_url or _origin(headers, host, path, route, ids),
        headers=headers,
        query=_query(event),
        body=body,
        declared_bytes=max(len(body), _content_length(headers)),
        address=str(context["identity"]["sourceIp"]),
    )


def _route(event: Event) -> tuple[Route, Mapping[str, str]]:
    """Find the route by the gateway's resource; behind a greedy `{proxy+}` resource, or none, by the path."""
    parameters = event.get("pathParameters") or {}
    route = ROUTES.get(str(event.get("resource")))
    if route is None:
        return resolve("/" + str(parameters["proxy"]) if "proxy" in parameters else str(event["path"]))
    below_base = route.resource
    for name, value in parameters.items():
        below_base = below_base.replace(f"{{{name}}}", str(value))
    resolved, ids = resolve(below_base)
    if resolved is not route:
        raise RouteNotFound
    return route, ids


def _headers(event: Event) -> dict[str, str]:
    several = event.get("multiValueHeaders")
    if several:
        return _joined((name, value.strip()) for name, values in several.items() for value in values)
    return _joined((name, str(value).strip()) for name, value in (event.get("headers") or {}).items())


def _joined(pairs: Any) -> dict[str, str]:  # noqa: ANN401
    headers: dict[str, str] = {}
    for name, value in pairs:
        lower = name.lower()
        headers[lower] = f"{headers[lower]}, {value}" if lower in headers else value
    return headers


def _query(event: Event) -> list[tuple[str, str]]:
    several = event.get("multiValueQueryStringParameters")
    if several:
        return [(name, value) for name, values in several.items() for value in values]
    return list((event.get("queryStringParameters") or {}).items())


def _body(event: Event) -> bytes:
    body = event.get("body")
    if not body:
        return b""
    if not event.get("isBase64Encoded"):
        return str(body).encode(errors="surrogatepass")
    try:
        return b64decode(body, validate=True)
    except ValueError:
        raise MalformedRequest from None


def _content_length(headers: Mapping[str, str]) -> int:
    declared = headers.get("content-length", "")
    return int(declared) if declared.isascii() and declared.isdigit() and len(declared) < 19 else 0  # noqa: PLR2004


def _origin(headers: Mapping[str, str], host: str, path: str, route: Route, ids: Mapping[str, str]) -> str:
    below_base = route.resource
    for name, value in ids.items():
        below_base = below_base.replace(f"{{{name}}}", value)
    scheme = headers.get("x-forwarded-proto", "http")
    return f"{scheme}://{host}{path.removesuffix(below_base)}"
