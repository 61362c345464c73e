"""A vault on a relay behind a socket, for generated requests: ids that are there, and a signature for each request."""

import json
import time
from collections.abc import Mapping
from hashlib import sha256
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
from requests import PreparedRequest
from requests.auth import AuthBase

from relay_protocol.encoding import base64url
from relay_protocol.signing import Message, sign
from tests.http.device import Device, Json, uuid_of

BLOB = b"sealed, as far as the relay can tell"
JSON = {"Content-Type": "application/json"}


class SignedBy(AuthBase):
    """Signs what `requests` is about to send. What no signature can cover, as it is not ASCII, goes out without one."""

    def __init__(self, device: Device) -> None:
        self._device = device

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        target = urlsplit(request.url or "")
        body: Any = request.body or b""  # whole, as nothing here is sent as a stream
        message = Message(
            request.method or "",
            target.netloc,
            target.path,
            parse_qsl(target.query, keep_blank_values=True),
            {name.lower(): _text(value) for name, value in request.headers.items()},
            body.encode() if isinstance(body, str) else body,
        )
        try:
            request.headers.update(sign(message, self._device.key, int(time.time())))
        except ValueError:
            return request
        return request


class KnownVault:
    """A founded vault with a log of three changesets and a snapshot. It is founded anew, with another id, once erased.

    `client` speaks to a relay that counts no requests.
    """

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._numbers = count(1)
        self.founder = Device.named("fuzzing founder")
        self.found()

    def found(self) -> None:
        """Found the vault, let a second device join, and fill it."""
        number = next(self._numbers)
        self.id, self.member = uuid_of(f"fuzzed vault {number}"), Device.named(f"fuzzing member {number}")
        registration = {"vault_id": self.id, "public_key": self.founder.public_key}
        assert self.ask(self.founder, "POST", "/devices", registration).status_code == 201
        endorsement = self.founder.endorse(self.id, self.member.id, int(time.time()) + 3600)
        joining = {"vault_id": self.id, "public_key": self.member.public_key, "endorsement": endorsement}
        assert self.ask(self.member, "POST", "/devices", joining).status_code == 201
        path = f"/vaults/{self.id}"
        for place in range(3):
            pushed = self.ask(self.founder, "POST", f"{path}/changesets", self.founder.changeset(place))
            assert pushed.status_code == 201
        head = pushed.json()["head"]
        announcement = {"sha256": self.sha256, "size": len(BLOB), "key_id": "k1", "schema_version": 1, "covers": head}
        upload = self.ask(self.founder, "POST", f"{path}/snapshots", announcement).json()["upload"]
        assert self._client.put(upload["url"], content=BLOB, headers=upload["headers"]).status_code == 200
        assert self.ask(self.founder, "POST", f"{path}/snapshots/{self.sha256}/complete").status_code == 200

    @property
    def sha256(self) -> str:
        return base64url(sha256(BLOB).digest())

    @property
    def ids(self) -> Mapping[str, str]:
        """What stands for a path's parameters, by their names in its template."""
        return {"vault_id": self.id, "device_id": self.member.id, "sha256": self.sha256}

    def head(self) -> Json:
        return dict(self.ask(self.founder, "GET", f"/vaults/{self.id}").json()["head"])

    def is_whole(self) -> bool:
        """Whether the vault is there, and both devices are members."""
        answer = self.ask(self.member, "GET", f"/vaults/{self.id}")
        return answer.status_code == 200 and answer.json()["devices"] >= 2

    def ask(self, device: Device, method: str, path: str, body: Any = None) -> httpx.Response:
        content = b"" if body is None else json.dumps(body).encode()
        headers = JSON if content else {}
        authority = self._client.base_url.netloc.decode()
        fields = {name.lower(): value for name, value in headers.items()}
        signature = sign(Message(method, authority, path, (), fields, content), device.key, int(time.time()))
        return self._client.request(method, path, content=content, headers=dict(headers) | signature)


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
