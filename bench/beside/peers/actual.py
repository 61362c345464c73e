"""Actual's sync server: one SQLite file a budget, requests in protobuf, a bearer token.

Every push also returns what is after `since`; ours say a time to come, so that nothing is. It has no pages: a pull
returns all that is after `since`. Its limit of 500 requests a minute and address can't be turned off: the load comes as
if through a proxy that it trusts, from another address every 400 requests.
"""

import itertools
import json
import os
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from bench.beside.pace import Conversation
from bench.beside.peers.npm import FOLDER, NODE, version_of
from bench.beside.peers.port import TEXT_BYTES, Facts
from bench.beside.served import Served, free_port, post
from bench.beside.wire import HttpConnection, http_request

PACKAGE = "@actual-app/sync-server"
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
NEVER = "2999-01-01T00:00:00.000Z-0000-00000000000000a1"
PER_ADDRESS = 400
LIMIT_MB = "200"


def timestamp(place: int) -> str:
    """Return the timestamp of a message, by its place in the log: 1, 2, …"""
    moment = (FIRST + timedelta(milliseconds=place)).isoformat(timespec="milliseconds").removesuffix("+00:00")
    return f"{moment}Z-0000-00000000000000a1"


def field(number: int, value: bytes) -> bytes:
    """Return a length-delimited field of protobuf."""
    length, encoded = len(value), bytearray()
    while length >= 0x80:
        encoded.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes([number << 3 | 2, *encoded, length]) + value


def envelope(place: int, content: bytes) -> bytes:
    """Return a `MessageEnvelope`: timestamp, isEncrypted, content."""
    return field(1, timestamp(place).encode()) + b"\x10\x01" + field(3, content)


def _addresses() -> Iterator[str]:
    for number in itertools.count():
        yield from itertools.repeat(str(IPv4Address("10.0.0.0") + number), PER_ADDRESS)


class ActualVault:
    """A budget file of the server's only user."""

    def __init__(self, port: int, token: str, addresses: Iterator[str]) -> None:
        self._host, self._token, self._addresses = f"127.0.0.1:{port}", token, addresses
        self._file, self.length = str(uuid.uuid4()), 0
        uploaded = post(port, "/sync/upload-user-file", b"-", self._headers("encrypted-file"), expected=200)
        self._group = json.loads(uploaded)["groupId"]

    def _headers(self, kind: str) -> dict[str, str]:
        return {
            "Host": self._host,
            "X-Forwarded-For": next(self._addresses),
            "x-actual-token": self._token,
            "x-actual-file-id": self._file,
            "x-actual-name": "bench",
            "x-actual-format": "2",
            "Content-Type": f"application/{kind}",
        }

    def _sync(self, since: str, envelopes: Sequence[bytes] = ()) -> bytes:
        fields = [*(field(1, one) for one in envelopes), field(2, self._file.encode()), field(3, self._group.encode())]
        body = b"".join([*fields, field(6, since.encode())])
        return http_request("POST", "/sync/sync", self._headers("actual-sync"), body)

    def push(self, count: int, batch: int = 1, size: int = TEXT_BYTES) -> list[bytes]:
        places = range(self.length + 1, self.length + count * batch + 1)
        self.length += len(places)
        envelopes = [envelope(place, os.urandom(size)) for place in places]
        return [self._sync(NEVER, envelopes[index : index + batch]) for index in range(0, len(envelopes), batch)]

    def pull(self, after: Sequence[int], most: int) -> list[bytes]:
        return [self._sync(timestamp(self.length - most)) for _ in after]  # without pages, only the last are a few

    def walk(self) -> Conversation:
        answer = yield self._sync(timestamp(0))
        return answer.count(b"-0000-00000000000000a1")

    def upload(self, blob: bytes) -> Conversation:
        headers = self._headers("encrypted-file") | {"x-actual-group-id": self._group}
        yield http_request("POST", "/sync/upload-user-file", headers, blob)
        return 1

    def download(self) -> Conversation:
        return len((yield http_request("GET", "/sync/download-user-file", self._headers("octet-stream"))))


class Actual:
    """Actual's sync server."""

    def __init__(self) -> None:
        self.facts = Facts(
            name="Actual",
            version=f"{PACKAGE} {version_of(PACKAGE)}",
            signatures="no: a bearer token",
            page="everything in one answer",
            note="protobuf over HTTP, on Node; pulls are of the last 100; a snapshot is written without a sync",
        )

    def serve(self, folder: Path, prefix: Sequence[str] = ()) -> Served:
        self._port, self._addresses = free_port(), _addresses()
        command = [*prefix, str(NODE), str(FOLDER / "node_modules" / PACKAGE / "build/bin/actual-server.js")]
        variables = {
            "NODE_ENV": "production",
            "ACTUAL_DATA_DIR": str(folder),
            "ACTUAL_HOSTNAME": "127.0.0.1",
            "ACTUAL_PORT": str(self._port),
            "ACTUAL_TRUSTED_PROXIES": "127.0.0.1",
            "ACTUAL_UPLOAD_SYNC_ENCRYPTED_FILE_SYNC_SIZE_LIMIT_MB": LIMIT_MB,
        }
        served = Served(command, self._port, folder.with_suffix(".log"), variables)
        body = json.dumps({"password": uuid.uuid4().hex}).encode()
        begun = post(self._port, "/account/bootstrap", body, {"Content-Type": "application/json"}, expected=200)
        self._token = json.loads(begun)["data"]["token"]
        return served

    def connect(self) -> HttpConnection:
        return HttpConnection(self._port)

    def found(self) -> ActualVault:
        return ActualVault(self._port, self._token, self._addresses)
