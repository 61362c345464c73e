"""SIGKILL at random moments under load: what was acknowledged is there once, in order, and every device converges."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from random import Random
from threading import Event

from sync_relay_client import Vault
from tests.client.app import pair
from tests.figures import Report
from tests.history.recording import HttpSender, history_of, living
from tests.history.test_histories import VAULT, join_all, judge
from tests.http.device import Device
from tests.kills.chaos import draw, times, wait_for_moment
from tests.kills.devices import OPTIONS, LivingDevice, check_all_converged
from tests.kills.warm_relay import WarmRelay

RELAY_KILLS = 110
DEVICE_KILLS = 110
DEVICES = 3


def test_a_relay_that_is_killed_under_sixteen_clients(home: Path, report: Report) -> None:
    """Their history is linearizable, the requests that a kill broke off included."""
    chaos = draw(report)
    with ExitStack() as stack:
        relay = stack.enter_context(WarmRelay(home))

        def sender_of(device: Device, chaos: Random, losses: float) -> HttpSender:
            return stack.enter_context(closing(HttpSender(relay.port, device, chaos, losses / 5)))

        clients = join_all(sender_of, int(time.time()))
        ended = Event()
        with living(clients, lambda _: not ended.is_set()), set_at_the_end(ended):
            for _ in range(times(RELAY_KILLS)):
                wait_for_moment(chaos, lambda: sum(len(client.operations) for client in clients), 30)
                relay.kill(lambda: tear(home / "relay.sqlite3-wal", chaos))
        report("kills of the relay", relay.kills)
        judge(history_of(VAULT, clients, sender_of(Device.named("client 0"), Random(0), 0)), report)


def tear(wal: Path, chaos: Random) -> None:
    """Let the write-ahead log end in rubbish, as a write may that never was forced to the disk."""
    with wal.open("ab") as file:
        file.write(chaos.randbytes(chaos.randrange(10_000)))


@contextmanager
def set_at_the_end(event: Event) -> Iterator[None]:
    try:
        yield
    finally:
        event.set()


def test_devices_and_their_relay_killed_over_and_over(home: Path, report: Report) -> None:
    chaos = draw(report)
    folders = [home / f"device-{number}" for number in range(DEVICES)]
    with WarmRelay(home / "relay") as relay:
        with Vault.create(folders[0], relay.url, options=OPTIONS) as founder:
            for folder in folders[1:]:
                pair(founder, folder, OPTIONS).close()
        devices = [LivingDevice(folder) for folder in folders]
        try:
            for _ in range(times(DEVICE_KILLS)):
                wait_for_moment(chaos, lambda: sum(device.steps for device in devices), 12)
                chaos.choice([relay.kill, *(device.kill for device in devices * 2)])()
        finally:
            for device in devices:
                device.end()
        report("kills of devices", sum(device.kills for device in devices))
        report("kills of the relay", relay.kills)
        report("changes", check_all_converged(folders))
