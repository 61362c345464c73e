"""A minimal Cloudflare Worker with D1 and R2, in workerd under Miniflare (`peers_npm/worker.mjs`)."""

import hashlib
import json
import uuid
from collections.abc import Sequence
from pathlib import Path

from nacl.signing import SigningKey

from bench.beside.pace import Conversation
from bench.beside.peers.npm import FOLDER, NODE, version_of
from bench.beside.peers.port import TEXT_BYTES, Facts
from bench.beside.served import Served, free_port, post
from bench.beside.wire import HttpConnection, http_request
from bench.changesets import changeset
from relay_protocol.devices import thumbprint
from relay_protocol.encoding import base64url

MAX_PAGE = 500


class WorkerVault:
    """A vault with one device."""

    def __init__(self, port: int) -> None:
        self._host, self._id, self.length = f"127.0.0.1:{port}", str(uuid.uuid4()), 0
        self._key = SigningKey.generate()
        public_key = bytes(self._key.verify_key)
        self._device_id = thumbprint(public_key)
        body = json.dumps({"device": self._device_id, "key": base64url(public_key)}).encode()
        post(port, f"/vaults/{self._id}/devices", body, {})

    def _request(self, method: str, target: str, body: bytes = b"", signed_body: bytes | None = None) -> bytes:
        target = f"/vaults/{self._id}{target}"
        digest = hashlib.sha256(body if signed_body is None else signed_body).digest()
        signature = self._key.sign(f"{method} {target}\n".encode() + digest).signature
        fields = {"Host": self._host, "x-device": self._device_id, "x-signature": base64url(signature)}
        return http_request(method, target, fields, body)

    def push(self, count: int, batch: int = 1, size: int = TEXT_BYTES) -> list[bytes]:
        self.length += count * batch
        return [self._request("POST", "/changesets", self._batch(batch, size)) for _ in range(count)]

    def _batch(self, batch: int, size: int) -> bytes:
        changesets = [changeset(self._device_id, size) for _ in range(batch)]
        return json.dumps({"changesets": changesets}, separators=(",", ":")).encode()

    def pull(self, after: Sequence[int], most: int) -> list[bytes]:
        return [self._request("GET", f"/changesets?since={place}&limit={most}") for place in after]

    def walk(self) -> Conversation:
        answer = b""
        for page in self.pull(range(0, self.length, MAX_PAGE), MAX_PAGE):
            answer = yield page
        return int(json.loads(answer)["cursor"])

    def upload(self, blob: bytes) -> Conversation:
        self._blob = hashlib.sha256(blob).hexdigest()
        yield self._request("PUT", f"/blobs/{self._blob}", blob, signed_body=b"")
        return 1

    def download(self) -> Conversation:
        return len((yield self._request("GET", f"/blobs/{self._blob}")))


class Worker:
    """The Worker."""

    def __init__(self) -> None:
        self.facts = Facts(
            name="Worker with D1",
            version=f"workerd {version_of('workerd')}, Miniflare {version_of('miniflare')}",
            signatures="Ed25519 of each request, by WebCrypto",
            page=f"{MAX_PAGE} changesets",
            note="JSON over HTTP; written for this: no chain, no receipts for duplicates; D1 and R2 are simulated",
        )

    def serve(self, folder: Path, prefix: Sequence[str] = ()) -> Served:
        self._port = free_port()
        command = [*prefix, str(NODE), str(FOLDER / "worker_host.mjs"), str(folder), str(self._port)]
        served = Served(command, self._port, folder.with_suffix(".log"))
        post(self._port, "/tables", b"", {})
        return served

    def connect(self) -> HttpConnection:
        return HttpConnection(self._port)

    def found(self) -> WorkerVault:
        return WorkerVault(self._port)
