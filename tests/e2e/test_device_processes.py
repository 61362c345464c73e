"""Devices as processes: several on one profile at once, and one that is killed over and over, by SIGKILL."""

import multiprocessing
import os
import random
import signal
from collections.abc import Sequence
from contextlib import ExitStack
from multiprocessing.connection import Connection
from pathlib import Path

from sync_relay_client import Options, Vault
from tests.client.app import applied, apply, change_of, pair, record, sync
from tests.e2e.conftest import StartRelay

OPTIONS = Options(keyring="file")
EACH = 15
KILLS = 20
PROCESSES = multiprocessing.get_context("fork")


def payloads_of(name: str, count: int) -> list[bytes]:
    return [f"{name}.{number:03}".encode() for number in range(count)]


def live(folder: Path, name: str, count: int, beats: Connection | None = None) -> None:
    """Record, send, pull and apply, change by change; what an earlier life recorded is not recorded again."""
    with Vault.open(folder, options=OPTIONS) as vault:
        for payload in payloads_of(name, count):
            for step in (lambda payload=payload: record(vault, [payload]), vault.push, vault.pull):
                step()
                beat(beats)
            apply(vault, limit=3)
            beat(beats)
        sync(vault)


def beat(beats: Connection | None) -> None:
    if beats is not None:
        beats.send_bytes(b".")


def check_all_is_there(home: Path, devices: Sequence[str], names: Sequence[str], count: int) -> None:
    """Every change is at every device once, in one order, each writer's own in the order of its writing."""
    with ExitStack() as stack:
        vaults = [stack.enter_context(Vault.open(home / device, options=OPTIONS)) for device in devices]
        for vault in (*vaults, *vaults):
            sync(vault)
        assert len({vault.verify().head for vault in vaults}) == 1
        for vault in vaults:
            status = vault.status()
            assert (status.outbox, status.unverified, status.inbox) == (0, 0, 0)
    found = applied(home / devices[0])
    assert sorted(found) == sorted(payload for name in names for payload in payloads_of(name, count))
    for name in names:
        own = [payload for payload in found if payload.startswith(name.encode())]
        assert own == sorted(own)
    assert [applied(home / device) for device in devices] == [found] * len(devices)


def found_two(url: str, home: Path) -> None:
    with Vault.create(home / "this", url, options=OPTIONS) as this:
        pair(this, home / "other", OPTIONS).close()


def test_processes_on_one_profile_lose_nothing_and_apply_nothing_twice(start_relay: StartRelay, home: Path) -> None:
    found_two(start_relay(RELAY_RATE_LIMIT="off").url, home)
    lives = [("this", "first"), ("this", "second"), ("this", "third"), ("other", "fourth")]
    processes = [PROCESSES.Process(target=live, args=(home / device, name, EACH)) for device, name in lives]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0] * len(lives)
    check_all_is_there(home, ["this", "other"], [name for _, name in lives], EACH)


def test_a_device_that_is_killed_over_and_over(start_relay: StartRelay, home: Path) -> None:
    """It dies somewhere after a step that was drawn, wherever that finds it."""
    found_two(start_relay(RELAY_RATE_LIMIT="off").url, home)
    with Vault.open(home / "other", options=OPTIONS) as other:
        other.push(*map(change_of, payloads_of("other", EACH)))
    chaos = random.Random(4)
    for _ in range(KILLS):
        ours, theirs = PROCESSES.Pipe(duplex=False)
        process = PROCESSES.Process(target=live, args=(home / "this", "this", EACH, theirs))
        process.start()
        theirs.close()
        hear(ours, chaos.randrange(1, 2 * EACH))
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()
    live(home / "this", "this", EACH)
    check_all_is_there(home, ["this", "other"], ["this", "other"], EACH)


def hear(beats: Connection, count: int) -> None:
    """Wait for so many steps of the other process, or its end."""
    with beats:
        for _ in range(count):
            try:
                beats.recv_bytes()
            except EOFError:
                return
