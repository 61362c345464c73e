"""A load generator: signed requests as bytes, sent in a closed loop over keep-alive connections."""

import asyncio
import http.client
import json
import os
import time
import uuid
from dataclasses import dataclass, field

from nacl.signing import SigningKey

from relay_protocol.devices import thumbprint
from relay_protocol.encoding import base64url
from relay_protocol.signing import Message, sign

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

    @classmethod
    def found(cls, port: int, device: Device) -> "Session":
        """Found a vault."""
        session = cls(port, device, str(uuid.uuid4()))
        public_key = base64url(bytes(device.key.verify_key))
        body = json.dumps({"vault_id": session.vault_id, "public_key": public_key}).encode()
        method, target, headers = session._signed("POST", "/devices", body)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request(method, target, body, headers)
        assert connection.getresponse().status == 201
        connection.close()
        return session

    def push(self) -> bytes:
        """Return a push of one changeset of about 1 KB."""
        changeset = {
            "id": str(uuid.uuid4()),
            "origin_device": self.device.id,
            "origin_user": "-" * 22,
            "timestamp": "-",
            "operation_type": "-" * 22,
            "entity": "-" * 22,
            "entity_id": "-" * 22,
            "schema_version": 1,
            "key_id": "-" * 22,
            "nonce": base64url(os.urandom(24)),
            "ciphertext": base64url(os.urandom(SEALED_BYTES * 3 // 4)),
        }
        body = json.dumps(changeset, separators=(",", ":")).encode()
        self.text_bytes = len(body)
        return self._raw(*self._signed("POST", f"/vaults/{self.vault_id}/changesets", body), body)

    def pull(self, since: int) -> bytes:
        """Return a pull of 100."""
        query = [("since", str(since)), ("limit", "100")]
        return self._raw(*self._signed("GET", f"/vaults/{self.vault_id}/changesets", b"", query), b"")

    def _signed(
        self, method: str, path: str, body: bytes, query: list[tuple[str, str]] | None = None
    ) -> tuple[str, str, dict[str, str]]:
        host = f"127.0.0.1:{self.port}"
        fields = {"content-type": "application/json"} if body else {}
        message = Message(method, host, path, query or [], fields, body)
        headers = {"Host": host, **fields, **sign(message, self.device.key, int(time.time()))}
        target = path + ("?" + "&".join(f"{name}={value}" for name, value in query) if query else "")
        return method, target, headers

    @staticmethod
    def _raw(method: str, target: str, headers: dict[str, str], body: bytes) -> bytes:
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def run_closed_loop(port: int, requests: list[bytes], connections: int) -> None:
    """Send every request once, each connection its next one as the answer to its last is there."""
    pending = iter(requests)

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in pending:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 20"), head.partition(b"\r\n")[0]
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.split(b":")[1]))
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(connection() for _ in range(connections)))
