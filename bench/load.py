"""A device in its vault: signed requests, as the bytes that are sent."""

import http.client
import os
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nacl.signing import SigningKey

from bench.signed import Query, Request, Signer
from relay_protocol.devices import thumbprint
from relay_protocol.encoding import base64url

SEALED_BYTES = 768


@dataclass(frozen=True)
class Device:
    """A device's key."""

    key: SigningKey = field(default_factory=SigningKey.generate)

    @property
    def id(self) -> str:
        """The key's thumbprint."""
        return thumbprint(bytes(self.key.verify_key))


@dataclass
class Session:
    """One device in one vault."""

    port: int
    device: Device
    vault_id: str
    text_bytes: int = 0

    @property
    def host(self) -> str:
        """What `Host` says."""
        return f"127.0.0.1:{self.port}"

    @classmethod
    def found(cls, port: int, device: Device) -> "Session":
        """Found a vault."""
        session = cls(port, device, str(uuid.uuid4()))
        public_key = base64url(bytes(device.key.verify_key))
        request = session._signed("POST", "/devices", {"vault_id": session.vault_id, "public_key": public_key})
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request(request.method, request.path, request.body, request.fields)
        assert connection.getresponse().status == 201
        connection.close()
        return session

    def push(self, batch: int = 1, sealed_bytes: int = SEALED_BYTES) -> bytes:
        """Return a push of a batch of changesets, each of about 1 KB unless told otherwise."""
        changesets = [changeset(self.device.id, sealed_bytes) for _ in range(batch)]
        request = self._in_vault("POST", "/changesets", changesets[0] if batch == 1 else {"changesets": changesets})
        self.text_bytes = len(request.body) // batch
        return request.as_bytes()

    def pull(self, since: int, limit: int = 100) -> bytes:
        """Return a pull."""
        query = [("since", str(since)), ("limit", str(limit))]
        return self._in_vault("GET", "/changesets", query=query).as_bytes()

    def request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> bytes:
        """Return a signed request; the path is below the vault's."""
        return self._in_vault(method, path, body).as_bytes()

    def _in_vault(self, method: str, path: str, body: Mapping[str, Any] | None = None, query: Query = ()) -> Request:
        return self._signed(method, f"/vaults/{self.vault_id}{path}", body, query)

    def _signed(self, method: str, path: str, body: Mapping[str, Any] | None, query: Query = ()) -> Request:
        signer = Signer(self.device.key, self.host, created=int(time.time()))
        return signer.request(method, path, body, query)


def changeset(device_id: str, sealed_bytes: int = SEALED_BYTES) -> dict[str, str | int]:
    """Return a new changeset as a device sends it, with that many characters of ciphertext."""
    ciphertext = base64url(os.urandom(sealed_bytes * 3 // 4))
    return changeset_of(str(uuid.uuid4()), device_id, base64url(os.urandom(24)), ciphertext)


def changeset_of(
    changeset_id: str, device_id: str, nonce: str, ciphertext: str, name: str = "-" * 22
) -> dict[str, str | int]:
    """Return a changeset of these; all that has a name in it has this one."""
    return {
        "id": changeset_id,
        "origin_device": device_id,
        "origin_user": name,
        "timestamp": "-",
        "operation_type": name,
        "entity": name,
        "entity_id": name,
        "schema_version": 1,
        "key_id": name,
        "nonce": nonce,
        "ciphertext": ciphertext,
    }
