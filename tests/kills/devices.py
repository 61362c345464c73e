"""Devices as processes that record, push, pull and apply for as long as they are let live."""

import multiprocessing
import os
import signal
from contextlib import ExitStack, suppress
from pathlib import Path

from sync_relay_client import Options, Retry, Vault
from sync_relay_client.errors import RelayRefused, RelayUnreachable
from tests.client.app import applied, apply, record, sync

PROCESSES = multiprocessing.get_context("fork")
OPTIONS = Options(keyring="file", retry=Retry(max_attempts=40, first_pause_seconds=0.01, max_pause_seconds=3))
MOST_CHANGES = 400
"""Of one device: then it goes on without new ones."""


class LivingDevice:
    """A device whose process is killed and begins again from what its folder holds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kills = 0
        self._steps = PROCESSES.RawValue("L", 0)
        self.start()

    @property
    def steps(self) -> int:
        """How many steps of its life are done, over all its lives."""
        return int(self._steps.value)

    def start(self) -> None:
        self._process = PROCESSES.Process(target=self._live)
        self._process.start()

    def kill(self) -> None:
        """Kill it, wherever that finds it, and start it again."""
        self.end()
        self.kills += 1
        self.start()

    def end(self) -> None:
        assert self._process.pid is not None
        with suppress(ProcessLookupError):
            os.kill(self._process.pid, signal.SIGKILL)
        self._process.join()
        assert self._process.exitcode == -signal.SIGKILL, "it ended by itself"

    def _live(self) -> None:
        name = self.folder.name
        with Vault.open(self.folder, options=OPTIONS) as vault:
            number = len(recorded(vault))
            while True:
                if number < MOST_CHANGES:
                    record(vault, [f"{name}.{number:05}".encode()])
                    number += 1
                    self._steps.value += 1
                for step in (vault.push, vault.pull, lambda: apply(vault, limit=20)):
                    with suppress(RelayUnreachable, RelayRefused):
                        step()
                    self._steps.value += 1


def recorded(vault: Vault) -> list[bytes]:
    """Return what a device's app wanted to send, and was told is kept."""
    with vault.outbox() as outbox:
        connection = outbox.connection
        if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'wanted'").fetchone():
            return []
        return [row[0] for row in connection.execute("SELECT payload FROM wanted ORDER BY payload")]


def check_all_converged(folders: list[Path]) -> int:
    """Let each device catch up; then all have applied the same, and each change that any recorded, once and in order.

    Return how many there are.
    """
    with ExitStack() as stack:
        vaults = [stack.enter_context(Vault.open(folder, options=OPTIONS)) for folder in folders]
        for vault in (*vaults, *vaults):
            sync(vault)
        assert len({vault.verify().head for vault in vaults}) == 1
        assert [vault.status().outbox for vault in vaults] == [0] * len(vaults)
        wanted = [recorded(vault) for vault in vaults]
    found = applied(folders[0])
    assert [applied(folder) for folder in folders] == [found] * len(folders)
    assert sorted(found) == sorted(payload for each in wanted for payload in each)
    for folder, each in zip(folders, wanted, strict=True):
        assert [payload for payload in found if payload.startswith(folder.name.encode())] == each
    return len(found)
