"""Our embedded relay, as `make run` starts it, but for its rate limit, which is off."""

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.beside.pace import Conversation
from bench.beside.peers.port import TEXT_BYTES, Facts
from bench.beside.served import Served, free_port, post
from bench.beside.wire import HttpConnection, http_request
from bench.household import Household
from relay_protocol.encoding import base64url

MAX_PAGE = 500


class OurVault:
    """A vault with one device."""

    def __init__(self, port: int) -> None:
        self._household, self.length = Household(f"127.0.0.1:{port}"), 0
        founding = self._household.found()
        post(port, founding.path, founding.body, founding.fields)

    def push(self, count: int, batch: int = 1, size: int = TEXT_BYTES) -> list[bytes]:
        self.length += count * batch
        return [self._household.push(size, batch).as_bytes() for _ in range(count)]

    def pull(self, after: Sequence[int], most: int) -> list[bytes]:
        return [self._household.pull(place, most).as_bytes() for place in after]

    def walk(self) -> Conversation:
        answer = b""
        for page in self.pull(range(0, self.length, MAX_PAGE), MAX_PAGE):
            answer = yield page
        pulled = json.loads(answer)
        assert not pulled["has_more"], "a page ended early"
        return int(pulled["cursor"])

    def upload(self, blob: bytes) -> Conversation:
        digest = base64url(hashlib.sha256(blob).digest())
        head = json.loads((yield self._household.look().as_bytes()))["head"]
        fields = {"sha256": digest, "size": len(blob), "key_id": "-" * 22, "schema_version": 1, "covers": head}
        upload = json.loads((yield self._request("POST", "/snapshots", fields)))["upload"]
        target = "/" + upload["url"].split("/", 3)[3]
        yield http_request("PUT", target, {"Host": self._household.host, **upload["headers"]}, blob)
        yield self._request("POST", f"/snapshots/{digest}/complete")
        return 1

    def download(self) -> Conversation:
        latest = json.loads((yield self._request("GET", "/snapshots/latest")))
        target = "/" + latest["snapshot"]["download"]["url"].split("/", 3)[3]
        return len((yield http_request("GET", target, {"Host": self._household.host})))

    def _request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> bytes:
        return self._household.request(method, self._household.path + path, body).as_bytes()


class Ours:
    """The embedded relay."""

    facts = Facts(
        name="sync-relay",
        version=f"sync-relay {version('sync-relay')}, this checkout",
        signatures="Ed25519 of each request (RFC 9421), and the body's digest",
        page=f"{MAX_PAGE} changesets",
        note="JSON over HTTP; embedded, SQLite; rate limit off",
    )

    def serve(self, folder: Path, prefix: Sequence[str] = ()) -> Served:
        variables = {"RELAY_DATA_DIR": str(folder), "RELAY_PORT": str(free_port()), "RELAY_RATE_LIMIT": "off"}
        command = [*prefix, sys.executable, "-m", "local.cli", "serve"]
        self._port = int(variables["RELAY_PORT"])
        return Served(command, self._port, folder.with_suffix(".log"), variables)

    def connect(self) -> HttpConnection:
        return HttpConnection(self._port)

    def found(self) -> OurVault:
        return OurVault(self._port)
