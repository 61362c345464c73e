"""A device that writes its requests to a socket itself, to send them as no client would, and to see every field."""

import json
import time
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Self

from relay_protocol.signing import Message, sign
from tests.http.device import Device, Json
from tests.http.served import Client, Reply
from tests.http.world import encode


class Wire:
    """A connection of one device to a relay on this machine, and the vault it is about."""

    def __init__(self, port: int, device: Device, vault_id: str) -> None:
        self.client = Client(port)
        self.device = device
        self.vault_id = vault_id
        self._host = f"127.0.0.1:{port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.client.close()

    @property
    def path(self) -> str:
        return f"/vaults/{self.vault_id}"

    def head(self, method: str, path: str, body: bytes, fields: Iterable[str]) -> bytes:
        """Sign a request; return its head. `fields` are lines that are sent besides, and not signed."""
        signed = {"content-type": "application/json"} if body else {}
        signed |= sign(Message(method, self._host, path, (), signed, body), self.device.key, int(time.time()))
        lines = [
            f"{method} {path} HTTP/1.1",
            f"Host: {self._host}",
            *(f"{name}: {text}" for name, text in signed.items()),
        ]
        return "\r\n".join([*lines, *fields, "", ""]).encode()

    def request(self, method: str, path: str, body: bytes = b"", fields: Sequence[str] = ()) -> Reply:
        length = [f"Content-Length: {len(body)}"] if body else []
        self.client.send(self.head(method, path, body, [*fields, *length]) + body)
        return self.client.reply()

    def request_in_chunks(self, method: str, path: str, body: bytes, chunk_bytes: int) -> Reply:
        self.client.send(self.head(method, path, body, ["Transfer-Encoding: chunked"]))
        for start in range(0, len(body), chunk_bytes):
            chunk = body[start : start + chunk_bytes]
            self.client.send(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        self.client.send(b"0\r\n\r\n")
        return self.client.reply()

    def found(self) -> Json:
        """Found the vault."""
        body = encode({"vault_id": self.vault_id, "public_key": self.device.public_key})
        reply = self.request("POST", "/devices", body)
        assert reply.status == 201
        return dict(json.loads(reply.body))

    def push(self, changeset: Json) -> Reply:
        return self.request("POST", f"{self.path}/changesets", encode(changeset))

    def pull(self) -> Reply:
        return self.request("GET", f"{self.path}/changesets")

    def head_seq(self) -> int:
        return int(self.request("GET", self.path).json["head"]["seq"])
