"""An API Gateway REST proxy event as a typed request."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from pybase64 import b64decode

from relay.http.routes import ROUTES, Route, resolve
from relay.http.signer_lookup import SignerLookup
from relay_protocol.errors import MalformedRequest, MethodNotAllowed
from relay_protocol.signing import Claim, Message

Event = Mapping[str, Any]

_LENGTH = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True)
class Request:
    """What the relay reads of an event. Header names are lower case, several values joined (RFC 9110 §5.3)."""

    id: str
    route: Route
    ids: Mapping[str, str]
    """The ids in the path, by their names in the route's template."""
    method: str
    path: str
    """The path that the client sent, with any stage or base path."""
    headers: Mapping[str, str]
    query: Sequence[tuple[str, str]]
    body: bytes
    address: str
    """The client's address, as the connection or a trusted proxy names it."""
    public_url: str | None
    """The relay's base URL, where a proxy hides it."""
    lookup: SignerLookup = field(default_factory=SignerLookup)

    @cached_property
    def message(self) -> Message:
        """What a signature can cover. `@authority` is the `Host` that the client sent, or the public one."""
        host = self.headers.get("host", "")
        authority = urlsplit(self.public_url).netloc if self.public_url else host
        return Message(self.method, authority, self.path, self.query, self.headers, self.body)

    @cached_property
    def claim(self) -> Claim:
        """What the request says of its signature. Raises as `Claim.parse` does."""
        return Claim.parse(self.headers)

    @property
    def vault_id(self) -> str | None:
        """The vault that the path names."""
        return self.ids.get("vault_id")

    @property
    def body_bytes(self) -> int:
        """The body's length: what is there, or what `Content-Length` announces of a body that was not read."""
        declared = self.headers.get("content-length", "")
        return max(len(self.body), int(declared) if _LENGTH.fullmatch(declared) else 0)

    @property
    def origin(self) -> str:
        """The relay's base URL as the client sees it."""
        below_base = self.route.path(self.ids)
        scheme = self.headers.get("x-forwarded-proto", "http")
        return self.public_url or f"{scheme}://{self.headers.get('host', '')}{self.path.removesuffix(below_base)}"

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
    return Request(
        id=request_id,
        route=route,
        ids=ids,
        method=method,
        path=str(context.get("path") or event["path"]),
        headers=_headers(event),
        query=_query(event),
        body=_body(event),
        address=str(context["identity"]["sourceIp"]),
        public_url=public_url,
    )


def _route(event: Event) -> tuple[Route, Mapping[str, str]]:
    """Find the route by the gateway's resource; behind a greedy `{proxy+}` resource, or none, by the path."""
    parameters: Mapping[str, str] = event.get("pathParameters") or {}
    route = ROUTES.get(str(event.get("resource")))
    if route is not None:
        return route, route.ids(parameters)
    return resolve("/" + parameters["proxy"] if "proxy" in parameters else str(event["path"]))


def _headers(event: Event) -> dict[str, str]:
    several = event.get("multiValueHeaders")
    if several:
        return _joined((name, value.strip()) for name, values in several.items() for value in values)
    return _joined((name, str(value).strip()) for name, value in (event.get("headers") or {}).items())


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
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
