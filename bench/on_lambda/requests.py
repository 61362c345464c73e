"""The requests that are measured, as API Gateway hands them on: one for each route, and some of a given size."""

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import httpx
import orjson
from nacl.signing import SigningKey

from bench.changesets import changeset_of
from bench.on_lambda.bills import HOURLY
from relay.http.routes import ROUTES
from relay_protocol.devices import thumbprint
from relay_protocol.encoding import base64url
from tests.http.documented import body_of
from tools.events.gateway import HttpRequest, event
from tools.events.story import BLOB, JSON, examples

Event = Mapping[str, Any]
Response = Mapping[str, Any]
KIB = 1024
PUSHED = 100


@dataclass(frozen=True)
class Call:
    """One request: what it is, the group of the function that answers, the status it is answered with, its event."""

    name: str
    route: str
    group: str
    status: int | None
    event: Event


def every_route(now_seconds: int, vault_id: str) -> list[Call]:
    """Return a vault's story, one request for each method of each route, in order; `after` goes between them."""
    calls = []
    for example in examples(now_seconds, vault_id):
        name = example.name.partition("-")[2].partition("-")[2] or example.group
        told = example.event
        route = f"{told['httpMethod']} {told['resource']}" if "resource" in told else HOURLY
        calls.append(Call(_NAMES.get((example.group, name), name), route, example.group, example.status, sent(told)))
    return calls


def after(call: Call, response: Response) -> None:
    """Send the announced blob, as the client does before it completes a snapshot."""
    if call.name == "announce a snapshot":
        upload = orjson.loads(body_of(dict(response)))["upload"]
        assert httpx.put(upload["url"], headers=upload["headers"], content=BLOB).is_success


def sent(made: Event) -> Event:
    """Return an event as API Gateway makes it where every media type is binary: with its body in base64."""
    if not made.get("body"):
        return made
    return {**made, "body": b64encode(made["body"].encode()).decode(), "isBase64Encoded": True}


class Vault:
    """A vault of one device, whose requests are of a given size."""

    def __init__(self, now: Callable[[], int]) -> None:
        self.id = str(uuid4())
        self._key = SigningKey.generate()
        self._now = now

    def found(self) -> Call:
        """Register the device, which founds the vault."""
        body = {"vault_id": self.id, "public_key": base64url(bytes(self._key.verify_key))}
        return self._call("found", "devices", 201, HttpRequest("POST", "/devices", headers=JSON, body=_text(body)))

    def push(self, name: str, changesets: int, changeset_bytes: int) -> Call:
        """Push changesets whose JSON has so many bytes each."""
        made = [self._changeset(changeset_bytes) for _ in range(changesets)]
        return self.push_body(name, _body(made))

    def push_body(self, name: str, body: str) -> Call:
        """Push a body as it is."""
        path = f"/vaults/{self.id}/changesets"
        return self._call(name, "changesets", 201, HttpRequest("POST", path, headers=JSON, body=body))

    def push_filling(self, name: str, changesets: int, body_bytes: int) -> Call:
        """Push changesets that make a body of just so many bytes."""
        made = [self._changeset(body_bytes // changesets - KIB) for _ in range(changesets)]
        made[-1] = self._changeset(len(_text(made[-1])) + body_bytes - len(_body(made)))
        assert len(_body(made)) == body_bytes
        return self.push_body(name, _body(made))

    def pull(self, name: str, since: int, limit: int) -> Call:
        """Pull a page."""
        query = (("since", str(since)), ("limit", str(limit)))
        return self._call(name, "changesets", 200, HttpRequest("GET", f"/vaults/{self.id}/changesets", query=query))

    def by_size(self) -> Iterator[Call]:
        """Yield the requests that the bill is made of, each after the one before was answered."""
        yield self.push("push, 1 change of 1 KB", 1, KIB)
        yield self.pull("pull, 1 change of 1 KB", 0, 1)
        yield self.pull("pull, nothing new", 1, PUSHED)
        yield self.push("push, 100 changes of 1 KB", PUSHED, KIB)
        yield self.pull("pull, 100 changes of 1 KB", 1, PUSHED)
        yield self.push("push, 2 changes of 200 KB", 2, 200 * KIB)

    def _changeset(self, size_bytes: int) -> dict[str, Any]:
        device_id = thumbprint(bytes(self._key.verify_key))
        made = changeset_of(str(uuid4()), device_id, base64url(bytes(24)), ciphertext="")
        return {**made, "ciphertext": "A" * (size_bytes - len(_text(made)))}

    def _call(self, name: str, group: str, status: int, request: HttpRequest) -> Call:
        made = event(replace(request, key=self._key), self._now())
        route = f"{request.method} {made['resource']}"
        assert made["resource"] in ROUTES
        return Call(name, route, group, status, sent(made))


def _body(changesets: list[dict[str, Any]]) -> str:
    return _text(changesets[0] if len(changesets) == 1 else {"changesets": changesets})


def _text(body: object) -> str:
    return orjson.dumps(body).decode()


_NAMES = {
    ("vaults", "health"): "health",
    ("vaults", "config"): "config",
    ("devices", "register"): "register, first device",
    ("devices", "register-second"): "register, endorsed device",
    ("devices", "show"): "show a device",
    ("devices", "list"): "list devices",
    ("devices", "revoke"): "revoke a device",
    ("changesets", "push"): "push",
    ("changesets", "pull"): "pull",
    ("snapshots", "announce"): "announce a snapshot",
    ("snapshots", "complete"): "complete a snapshot",
    ("snapshots", "show"): "show a snapshot",
    ("snapshots", "latest"): "latest snapshot",
    ("snapshots", "list"): "list snapshots",
    ("vaults", "show"): "show a vault",
    ("vaults", "erase"): "erase a vault",
    ("maintenance", "maintenance"): "maintenance",
}
