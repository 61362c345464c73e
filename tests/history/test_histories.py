"""What sixteen clients are told at once can be explained as one log that grew step by step, on each kind of store."""

import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from random import Random
from typing import Any

import pytest

from relay.config import Settings
from relay.ports import Log, StoreUnavailable
from relay_protocol.limits import Limits
from tests.figures import Report
from tests.history.checker import check
from tests.history.operations import History
from tests.history.recording import Client, HandlerSender, HttpSender, Sender, history_of, play
from tests.http.device import Device, uuid_of
from tests.http.world import World
from tests.model.stores import AwsStores
from tools.embedded import EmbeddedRelay

CLIENTS = 16
LOSSES = 0.15
VAULT = uuid_of("the vault that all write to")


class FlakyLog:
    """A log whose store now and then can't be reached, before or after it has done what was asked."""

    def __init__(self, log: Log, chaos: Random) -> None:
        self._log, self._chaos = log, chaos

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._log, name)
        if name not in {"append", "page"}:
            return real

        def flaky(*args: Any) -> Any:
            drawn = self._chaos.random()
            if drawn < 0.05:
                raise StoreUnavailable("seeded")
            answer = real(*args)
            if drawn < 0.1:
                raise StoreUnavailable("seeded")
            return answer

        return flaky


def join_all(sender_of: Callable[[Device, Random, float], Sender], now_seconds: int) -> list[Client]:
    """Found the vault and let all clients join."""
    devices = [Device.named(f"client {number}") for number in range(CLIENTS)]
    for device in devices:
        body: dict[str, Any] = {"vault_id": VAULT, "public_key": device.public_key}
        if device is not devices[0]:
            body["endorsement"] = devices[0].endorse(VAULT, device.id, now_seconds + 600)
        status, _ = sender_of(device, Random(0), 0).send("POST", "/devices", (), body, None)
        assert status == 201
    return [
        Client(number, device, VAULT, sender_of(device, Random(number), LOSSES), Random(100 + number))
        for number, device in enumerate(devices)
    ]


def judge(history: History, report: Report) -> None:
    lost = sum(operation.answer is None for operation in history.operations)
    report("clients", str(CLIENTS))
    report("operations", len(history.operations))
    report("without an answer", lost)
    report("log", len(history.log))
    assert lost > CLIENTS
    check(history)


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_sixteen_clients_of_an_embedded_relay(home: Path, report: Report, journal: str) -> None:
    shards = "1" if journal == "wal" else "3"
    variables = {"RELAY_RATE_LIMIT": "off", "RELAY_SQLITE_JOURNAL": journal, "RELAY_SQLITE_SHARDS": shards}
    with ExitStack() as stack:
        relay = stack.enter_context(EmbeddedRelay(home, **variables))

        def sender_of(device: Device, chaos: Random, losses: float) -> HttpSender:
            return stack.enter_context(closing(HttpSender(relay.port, device, chaos, losses)))

        clients = join_all(sender_of, int(time.time()))
        play(clients, 25)
        judge(history_of(VAULT, clients, sender_of(Device.named("client 0"), Random(0), 0)), report)


def test_sixteen_clients_of_handlers_on_dynamodb(dynamodb_url: str, s3_url: str, report: Report) -> None:
    """The store fails now and then, too: before it has done the work, and after."""
    stores = AwsStores(dynamodb_url, s3_url, lambda: time.time_ns() // 1_000_000)
    world = World(stores.log, stores.limiter, Settings(limits=Limits(rate_limit=None)))

    def sender_of(device: Device, chaos: Random, losses: float) -> HandlerSender:
        return HandlerSender(world, device, chaos, losses)

    clients = join_all(sender_of, world.clock.seconds)
    world.replace(log=FlakyLog(stores.log, Random(1)))
    play(clients, 8)
    world.replace(log=stores.log)
    judge(history_of(VAULT, clients, sender_of(Device.named("client 0"), Random(0), 0)), report)
    stores.close()
