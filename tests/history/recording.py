"""Many clients on one vault at once, each of whose requests is noted with the moments it began and was answered at.

A client may lose an answer, or its request on the way: then it sends the same again, and nobody knows what came of the
first.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException, HTTPResponse
from random import Random
from typing import Any, Protocol
from urllib.parse import urlencode

from relay_protocol.signing import Message, sign
from tests.history.operations import HeadMoved, History, Logged, Operation, Page, Place, Pull, Push, Receipt, Receipts
from tests.http.device import Device, Json
from tests.http.world import World, encode
from tests.model.plain import FIELDS, base64url, digest_of, genesis, link

TIMEOUT_SECONDS = 60
Query = Sequence[tuple[str, str]]


class AnswerLost(Exception):
    """Nobody knows whether the request was done."""


class Sender(Protocol):
    """How a device reaches the relay."""

    def send(self, method: str, path: str, query: Query, body: Json | None, if_match: str | None) -> tuple[int, Any]:
        """Return status and body of the answer. Raises AnswerLost."""


class HttpSender:
    """Over a socket. `losses` is how often a connection breaks: before the request is out, or before its answer."""

    def __init__(self, port: int, device: Device, chaos: Random, losses: float) -> None:
        self._host, self._device, self._chaos, self._losses = f"127.0.0.1:{port}", device, chaos, losses
        self._connection = HTTPConnection(self._host, timeout=TIMEOUT_SECONDS)

    def send(self, method: str, path: str, query: Query, body: Json | None, if_match: str | None) -> tuple[int, Any]:
        raw = b"" if body is None else encode(body)
        fields = {"content-type": "application/json"} if raw else {}
        fields |= {"if-match": f'"{if_match}"'} if if_match else {}
        fields |= sign(Message(method, self._host, path, query, fields, raw), self._device.key, int(time.time()))
        try:
            self._connect()
            self._connection.putrequest(method, path + (f"?{urlencode(query)}" if query else ""))
            for name, value in {**fields, "Content-Length": str(len(raw))}.items():
                self._connection.putheader(name, value)
            response = self._exchange(raw)
            text = response.read()
        except (OSError, HTTPException, AnswerLost):
            self.close()
            raise AnswerLost from None
        return response.status, json.loads(text) if text else None

    def _exchange(self, raw: bytes) -> HTTPResponse:
        is_broken = self._chaos.random() < self._losses
        is_cut_short = is_broken and self._chaos.random() < 1 / 3
        self._connection.endheaders(raw[: len(raw) // 2] if is_cut_short else raw)
        if is_broken:
            raise AnswerLost
        return self._connection.getresponse()

    def _connect(self) -> None:
        """Connect if need be; wait for a relay that is down: what was never sent is no operation."""
        give_up = time.monotonic() + TIMEOUT_SECONDS
        while self._connection.sock is None:
            try:
                self._connection.connect()
            except ConnectionRefusedError:
                assert time.monotonic() < give_up, "the relay stays down"
                time.sleep(0.002)

    def close(self) -> None:
        self._connection.close()


class HandlerSender:
    """Straight to the handlers of a relay in this process."""

    def __init__(self, world: World, device: Device, chaos: Random, losses: float) -> None:
        self._world, self._device, self._chaos, self._losses = world, device, chaos, losses

    def send(self, method: str, path: str, query: Query, body: Json | None, if_match: str | None) -> tuple[int, Any]:
        headers = {"If-Match": f'"{if_match}"'} if if_match else {}
        answer = self._world.call(self._device, method, path, body, query=query, headers=headers)
        if self._chaos.random() < self._losses:
            raise AnswerLost
        return answer.status, json.loads(answer.text) if answer.text else None


class Client:
    """A device that pushes and pulls, and notes it."""

    def __init__(self, number: int, device: Device, vault_id: str, sender: Sender, chaos: Random) -> None:
        self.operations: list[Operation] = []
        self._number, self._device, self._sender, self._chaos = number, device, sender, chaos
        self._path = f"/vaults/{vault_id}/changesets"
        self._head = Place(0, base64url(genesis(vault_id)))
        self._pushed = 0

    def live(self, goes_on: Callable[[int], bool]) -> None:
        """Push and pull while it goes on, which is told how many of each there were."""
        number = 0
        while goes_on(number):
            number += 1
            if self._chaos.random() < 0.4:
                self._pull(Pull(self._chaos.randint(0, self._head.seq), self._chaos.randint(1, 60)))
            else:
                self._push(
                    self._chaos.choice([1, 1, 1, 2, 3]), self._head.chain if self._chaos.random() < 0.2 else None
                )

    def _push(self, count: int, if_match: str | None) -> None:
        """Push until an answer comes."""
        batch = []
        for _ in range(count):
            self._pushed += 1
            batch.append(self._device.changeset(f"{self._number}.{self._pushed}"))
        body = batch[0] if count == 1 else {"changesets": batch}
        request = Push(tuple(one["id"] for one in batch), if_match)
        while self._ask(request, "POST", (), body) is None:
            pass

    def _pull(self, request: Pull) -> None:
        self._ask(request, "GET", (("since", str(request.since)), ("limit", str(request.limit))), None)

    def _ask(self, request: Push | Pull, method: str, query: Query, body: Json | None) -> object:
        if_match = request.if_match if isinstance(request, Push) else None
        invoked = time.monotonic_ns()
        try:
            status, told = self._sender.send(method, self._path, query, body, if_match)
        except AnswerLost:
            status, told = 503, None
        returned = time.monotonic_ns()
        if status == 503:
            self.operations.append(Operation(self._number, invoked, request))
            return None
        answer = _read(status, told)
        self._head = max(self._head, answer.head, key=lambda place: place.seq)
        self.operations.append(Operation(self._number, invoked, request, answer, returned))
        return answer


def _read(status: int, told: Json) -> Receipts | HeadMoved | Page:
    assert status in {200, 201, 412}, told["code"]
    head = Place(told["head"]["seq"], told["head"]["chain"])
    if status == 412:
        return HeadMoved(head)
    if "receipts" in told:
        receipts = [Receipt(_logged(one), one["status"] == "created") for one in told["receipts"]]
        return Receipts(head, tuple(receipts))
    return Page(tuple(map(_logged, told["changesets"])), head)


def _logged(told: Json) -> Logged:
    return Logged(told["seq"], told["id"], told["chain"])


@contextmanager
def living(clients: Sequence[Client], goes_on: Callable[[int], bool]) -> Iterator[None]:
    """Let all clients live at once, meanwhile do what else is done, and wait for them. What one raises is raised."""
    with ThreadPoolExecutor(len(clients)) as threads:
        lives = [threads.submit(client.live, goes_on) for client in clients]
        yield
        for life in lives:
            life.result()


def play(clients: Sequence[Client], requests: int) -> None:
    """Let all clients live at once, for so many pushes and pulls each."""
    with living(clients, lambda number: number < requests):
        pass


def history_of(vault_id: str, clients: Sequence[Client], reader: Sender) -> History:
    """Read the vault's log, see that its chain is that of its changesets, and put all together."""
    chain, log, has_more = genesis(vault_id), list[Logged](), True
    while has_more:
        query = (("since", str(len(log))),)
        status, page = reader.send("GET", f"/vaults/{vault_id}/changesets", query, None, None)
        assert status == 200
        for told in page["changesets"]:
            chain = link(chain, digest_of(vault_id, {name: told[name] for name in FIELDS}))
            assert told["chain"] == base64url(chain), "the chain is not that of the changesets"
            log.append(_logged(told))
        has_more = page["has_more"]
    operations = [operation for client in clients for operation in client.operations]
    return History(operations, log, base64url(genesis(vault_id)))
