"""One device and its vault, and the requests that it sends."""

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nacl.signing import SigningKey

from bench.changesets import changeset
from bench.signed import Query, Request, Signer
from relay_protocol.devices import thumbprint
from relay_protocol.encoding import base64url


@dataclass
class Household:
    """Requests are signed when they are asked for, with the clock's time. `host` is what they are sent to."""

    host: str
    key: SigningKey = field(default_factory=SigningKey.generate)
    vault_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def path(self) -> str:
        """The vault's."""
        return f"/vaults/{self.vault_id}"

    def found(self) -> Request:
        """Found the vault."""
        body = {"vault_id": self.vault_id, "public_key": base64url(bytes(self.key.verify_key))}
        return self.request("POST", "/devices", body, expected=201)

    def push(self, size_bytes: int = 1024, count: int = 1) -> Request:
        """Push new changesets, each of about this many bytes of JSON; one alone, or a batch."""
        changesets = [changeset(self.device_id, size_bytes) for _ in range(count)]
        body = changesets[0] if count == 1 else {"changesets": changesets}
        return self.request("POST", f"{self.path}/changesets", body, expected=201)

    def pull(self, since: int, limit: int = 100) -> Request:
        """Pull a page."""
        query = (("since", str(since)), ("limit", str(limit)))
        return self.request("GET", f"{self.path}/changesets", query=query)

    def look(self) -> Request:
        """Ask what the vault is: its head, floor, members, snapshots."""
        return self.request("GET", self.path)

    def request(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, query: Query = (), expected: int = 200
    ) -> Request:
        """Sign any request."""
        signer = Signer(self.key, self.host, created=int(time.time()))
        return signer.request(method, path, body, query, expected=expected)

    @property
    def device_id(self) -> str:
        """The key's thumbprint."""
        return thumbprint(bytes(self.key.verify_key))
