"""Evolu's relay: one SQLite file, a binary protocol over WebSocket, a write key.

Requests are made by the package's own encoders (`peers_npm/evolu_requests.mjs`). A pull is a round of its
reconciliation by a client that says which part of the history it holds whole: the relay answers with what is after it,
a megabyte at most.
"""

import base64
import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.beside.pace import Conversation
from bench.beside.peers.npm import FOLDER, NODE, version_of
from bench.beside.peers.port import TEXT_BYTES, Facts
from bench.beside.served import Served, free_port
from bench.beside.websocket import WebSocketConnection, as_frame
from bench.beside.wire import RefusedError

PACKAGE = "@evolu/nodejs"
HEAD_BYTES = 19
"""Of an answer: version, owner (16), kind, error."""


class Requests:
    """The process that encodes requests."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [str(NODE), str(FOLDER / "evolu_requests.mjs")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def ask(self, expected: int, **asked: Any) -> list[bytes]:  # noqa: ANN401 -- it goes into JSON
        """Return the requests that were asked for, of an expected number."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asked).encode() + b"\n")
        self._process.stdin.flush()
        output = self._process.stdout
        return [output.read(int.from_bytes(output.read(4), "little")) for _ in range(expected)]

    def stop(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)


class EvoluVault:
    """An owner, whose messages have their places as timestamps."""

    def __init__(self, requests: Requests) -> None:
        self._requests, self.length = requests, 0
        self._owner = base64.b64encode(os.urandom(16)).decode()
        self._write_key = base64.b64encode(os.urandom(16)).decode()

    def push(self, count: int, batch: int = 1, size: int = TEXT_BYTES) -> list[bytes]:
        what: dict[str, Any] = {"owner": self._owner, "write_key": self._write_key, "first": self.length + 1}
        self.length += count * batch
        made = self._requests.ask(count, ask="push", count=count, batch=batch, size=size, **what)
        return [as_frame(one) for one in made]

    def pull(self, after: Sequence[int], most: int) -> list[bytes]:
        made = self._requests.ask(len(after), ask="pull", owner=self._owner, after=list(after), most=most)
        return [as_frame(one) for one in made]

    def walk(self) -> Conversation:
        held, pages = 0, self.pull(range(self.length), 0)
        while held < self.length:
            sent = messages_in((yield pages[held]))
            if not sent:
                raise RefusedError("a page without messages")
            held += sent
        return held

    def upload(self, blob: bytes) -> Conversation:
        raise NotImplementedError

    def download(self) -> Conversation:
        raise NotImplementedError


class EvoluConnection(WebSocketConnection):
    """A WebSocket whose answers tell of errors inside."""

    def receive(self) -> bytes | None:
        answer = super().receive()
        if answer is not None and answer[HEAD_BYTES - 1] != 0:
            raise RefusedError(f"error {answer[HEAD_BYTES - 1]}")
        return answer


class Evolu:
    """Evolu's relay."""

    def __init__(self) -> None:
        self.facts = Facts(
            name="Evolu",
            version=f"{PACKAGE} {version_of(PACKAGE)}",
            signatures="no: a write key",
            page="1 MB of messages",
            note="binary over WebSocket, on Node; started by the package's own `startRelay`",
            cannot={"large": "no: 640 KB a change at most", "snapshot": "no snapshots"},
        )

    def serve(self, folder: Path, prefix: Sequence[str] = ()) -> Served:
        self._port, self._requests = free_port(), Requests()
        command = [*prefix, str(NODE), str(FOLDER / "evolu_relay.mjs"), str(folder), str(self._port)]
        served = Served(command, self._port, folder.with_suffix(".log"))
        served.also_stops(self._requests.stop)
        return served

    def connect(self) -> EvoluConnection:
        return EvoluConnection(self._port, "/")

    def found(self) -> EvoluVault:
        return EvoluVault(self._requests)


def messages_in(answer: bytes) -> int:
    """Return how many messages an answer carries: a varint after its head."""
    count = shift = 0
    for byte in answer[HEAD_BYTES:]:
        count |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
        shift += 7
    return count
