"""Events as API Gateway hands them over, mutated as JSON: answered without a defect wherever they have their shape.

Whatever else comes, there is an answer, and it is one that a gateway can pass on.
"""

import json
import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from relay.http import gateway
from relay.http.routes import ROUTES
from tests.fuzz.target import Target
from tests.fuzz.vault_world import fresh_world
from tests.http.documented import read
from tests.http.world import GROUPS, NOW_SECONDS, World
from tools.events.story import Example, examples

Event = dict[str, Any]
SETTING = ("03-devices-register", "04-devices-register-second", "07-changesets-push", "09-snapshots-announce")
"""The story's events that come before each input."""

_ALWAYS = {"httpMethod": str, "path": str}
_ONE_VALUE = ("headers", "queryStringParameters", "pathParameters")
_SEVERAL_VALUES = ("multiValueHeaders", "multiValueQueryStringParameters")
_MAYBE = {"resource": str, "body": str, "isBase64Encoded": bool} | dict.fromkeys((*_ONE_VALUE, *_SEVERAL_VALUES), dict)


class _Worlds:
    world: World | None = None


def check(data: bytes) -> None:
    """Have the event answered."""
    try:
        event = json.loads(data)
    except (ValueError, RecursionError):
        return
    world = _Worlds.world = _Worlds.world or _setting()
    world.telemetry.told.clear()
    endpoints = _endpoints(event)
    answer = read(gateway.handle(world.relay, endpoints, event))
    if is_gateway_event(event):
        assert answer.status < 500 or answer.code == "quota_exceeded"
        assert not world.telemetry.of("failed")
    elif answer.status >= 500:
        assert answer.json["title"] == "The relay failed", "a defect's answer is constant"
    if answer.status < 300 and event["httpMethod"] != "GET":
        _Worlds.world = None


def is_gateway_event(event: Any) -> bool:
    """Whether each member has the type that API Gateway gives it."""
    return isinstance(event, dict) and _has_types(event) and _has_context(event) and _has_parameters(event)


def _has_types(event: Event) -> bool:
    if not all(isinstance(event.get(name), kind) for name, kind in _ALWAYS.items()):
        return False
    if not all(event.get(name) is None or isinstance(event[name], kind) for name, kind in _MAYBE.items()):
        return False
    values = [value for name in _ONE_VALUE for value in (event.get(name) or {}).values()]
    lists = [several for name in _SEVERAL_VALUES for several in (event.get(name) or {}).values()]
    return all(isinstance(value, str) for value in values) and all(map(_is_texts, lists))


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _has_context(event: Event) -> bool:
    context = event.get("requestContext")
    if not isinstance(context, dict) or not isinstance(context.get("identity"), dict):
        return False
    return isinstance(context["identity"].get("sourceIp"), str) and isinstance(context.get("path", ""), str)


def _has_parameters(event: Event) -> bool:
    """Whether the path's parameters are those of the resource."""
    route = ROUTES.get(event.get("resource") or "")
    parameters = event.get("pathParameters") or {}
    names = set(re.findall(r"{(\w+)}", route.resource)) if route else set(parameters)
    return names == set(parameters)


def _endpoints(event: Any) -> gateway.Endpoints:
    """Return those of the function that has the event's resource."""
    resource = event.get("resource") if isinstance(event, dict) else None
    route = ROUTES.get(resource) if isinstance(resource, str) else None
    if route is None:
        return {place: endpoint for group in GROUPS.values() for place, endpoint in group.items()}
    return GROUPS[route.group]


@cache
def _story() -> Sequence[Example]:
    return [example for example in examples(NOW_SECONDS) if example.status is not None]


def _setting() -> World:
    world = fresh_world()
    for example in _story():
        if example.name in SETTING:
            assert gateway.handle(world.relay, GROUPS[example.group], example.event)["statusCode"] == example.status
    return world


def seeds() -> Sequence[bytes]:
    """Return the story's events, signed at the time that it is in the relay."""
    return [json.dumps(example.event).encode() for example in _story()]


GATEWAY_EVENTS = Target(
    "gateway_events",
    check,
    seeds,
    words=(
        b"null",
        b"{}",
        b"[]",
        b'""',
        b"true",
        b'"\\ud800"',
        b'"isBase64Encoded": true',
        b'"body": null',
        b'"multiValueHeaders": null',
        b'"resource": "/{proxy+}"',
        b'"proxy": "config"',
        b'"httpMethod": "PUT"',
        b"Signature-Input",
        b"host",
    ),
)
