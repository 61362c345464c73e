"""An HTTP request as the event that API Gateway's REST proxy integration would make of it."""

import time
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network
from typing import Any
from urllib.parse import parse_qsl

from pybase64 import b64encode_as_string
from starlette.types import Scope

from local.addresses import TrustedProxies
from relay.http.routes import Route
from relay_protocol.errors import MalformedRequest

FORWARDING_FIELDS = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-port", "x-forwarded-proto")
"""What a proxy tells of its client. From anyone else they are dropped."""

UNDECODABLE = [("\ufffd", "")]
"""Stands for a query string that is not UTF-8: a parameter nobody knows, so that the handler answers 400."""


class Events:
    """Makes events for a relay whose public URL has this base path (`""` for none)."""

    def __init__(self, base_path: str, trusted_proxies: tuple[IPv4Network | IPv6Network, ...]) -> None:
        self._base_path = base_path
        self._proxies = TrustedProxies(trusted_proxies)

    def path(self, scope: Scope) -> str:
        """Return the path below the base path, not decoded. A proxy may have taken the base off, or not."""
        raw: str = scope["raw_path"].decode("ascii")
        below = raw.removeprefix(self._base_path)
        return below if below.startswith("/") else raw

    def event(self, scope: Scope, path: str, route: Route, ids: Mapping[str, str], request_id: str) -> dict[str, Any]:
        """Return the event of a request, without its body. Raises MalformedRequest unless it names one host."""
        fields = _fields(scope)
        hosts = fields.get("host", [])
        if len(hosts) != 1 and (hosts or scope["http_version"] != "1.0"):  # RFC 9112 §3.2
            raise MalformedRequest
        peer = scope["client"][0] if scope["client"] else ""
        forwarded = fields.get("x-forwarded-for", [])
        source_ip = self._proxies.client_address(peer, forwarded)
        if not self._proxies.trust(peer):
            for name in FORWARDING_FIELDS:
                fields.pop(name, None)
        query = _query(scope["query_string"])
        method: str = scope["method"]
        return {
            "resource": route.resource,
            "path": path,
            "httpMethod": method,
            "headers": {name: values[-1] for name, values in fields.items()},
            "multiValueHeaders": fields,
            "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
            "multiValueQueryStringParameters": query or None,
            "pathParameters": dict(ids) or None,
            "stageVariables": None,
            "requestContext": {
                "path": self._base_path + path,
                "httpMethod": method,
                "resourcePath": route.resource,
                "requestId": request_id,
                "stage": "local",
                "identity": {"sourceIp": source_ip},
                "domainName": hosts[0] if hosts else "",
                "protocol": f"HTTP/{scope['http_version']}",
                "requestTimeEpoch": time.time_ns() // 1_000_000,
            },
            "body": None,
            "isBase64Encoded": False,
        }


def put_body(event: dict[str, Any], body: bytes) -> None:
    """Put a body into its event."""
    if body:
        event["body"] = b64encode_as_string(body)
        event["isBase64Encoded"] = True


def _fields(scope: Scope) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        fields.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
    return fields


def _query(query_string: bytes) -> dict[str, list[str]]:
    if not query_string:
        return {}
    try:
        pairs = parse_qsl(query_string.decode("ascii"), keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        pairs = UNDECODABLE
    query: dict[str, list[str]] = {}
    for name, value in pairs:
        query.setdefault(name, []).append(value)
    return query
