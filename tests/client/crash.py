"""Kills a device at a step of what it does, for each step there is, and lets it begin again from what the disk held.

A step is each moment before and after an action (a request, an upload, a download, a pause), before and after each
COMMIT, and before a file is made or removed. The disk is copied at that very moment: what the code does while the
killing exception unwinds it, happens to a folder that is thrown away.
"""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection
from typing import Any

import pytest

from sync_relay_client.flow import Action
from sync_relay_client.profile.database import Database
from sync_relay_client.profile.profile import FILE
from sync_relay_client.transport import Transport
from tests.client.relay_in_process import RelayInProcess, honest


class Killed(BaseException):
    """What a kill is to the code that it hits: nothing that it may catch."""


class Reaper:
    """Counts the steps of the device whose profile is in `folder`, and kills it at one of them."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.steps: list[str] = []
        self._at: int | None = None
        self._remains = folder.with_name(folder.name + ".remains")
        self._watch(monkeypatch)

    def run(self, act: Callable[[], None], *kills: int) -> int:
        """Let the device act until it comes through, killed at these steps on the way; return how often it was."""
        killed = 0
        for at in (*kills, None):
            self.steps, self._at = [], at
            try:
                act()
            except Killed:
                killed += 1
                shutil.rmtree(self.folder, ignore_errors=True)
                self._remains.rename(self.folder)
            else:
                break
        self._at = None
        return killed

    def step(self, name: str) -> None:
        self.steps.append(name)
        if self._at is not None and len(self.steps) > self._at:
            self._at = None
            shutil.rmtree(self._remains, ignore_errors=True)
            self._remains.mkdir(mode=0o700)
            if self.folder.exists():
                shutil.copytree(self.folder, self._remains, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*-shm"))
            raise Killed(name)

    def _watch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Transport, "perform", self._performing(Transport.perform))
        for name in ("transaction", "shared_transaction"):
            monkeypatch.setattr(Database, name, self._committing(name, getattr(Database, name)))
        for name in ("touch", "unlink"):
            monkeypatch.setattr(Path, name, self._on_file(name, getattr(Path, name)))

    def _performing(self, perform: Callable[[Transport, Action], Any]) -> Callable[[Transport, Action], Any]:
        def watched(transport: Transport, action: Action) -> Any:
            self.step(f"before {type(action).__name__}")
            outcome = perform(transport, action)
            self.step(f"after {type(action).__name__}")
            return outcome

        return watched

    def _committing(self, name: str, begin: Callable[[Database], Any]) -> Callable[[Database], Any]:
        @contextmanager
        def watched(database: Database) -> Iterator[Connection]:
            if not self._is_here(database):
                with begin(database) as connection:
                    yield connection
                return
            with begin(database) as connection:
                yield connection
                self.step(f"{name} before COMMIT")
            self.step(f"{name} after COMMIT")

        return watched

    def _is_here(self, database: Database) -> bool:
        file = database.connection.execute("PRAGMA database_list").fetchone()[2]
        return bool(file) and Path(file).parent == self.folder

    def _on_file(self, name: str, call: Callable[..., None]) -> Callable[..., None]:
        def watched(path: Path, *args: Any, **kwargs: Any) -> None:
            if self.folder in path.parents:
                self.step(f"{name} {path.name.partition('-')[0]}")
            call(path, *args, **kwargs)

        return watched


def age_spool(folder: Path) -> None:
    """Let days go by for what lies in a profile's spool."""
    for path in (folder / "spool").glob("*"):
        os.utime(path, (0, 0))


class Stage:
    """A relay, and devices in folders; every run begins with them as they are now, or when `begin_here` is called."""

    def __init__(self, relay: RelayInProcess, home: Path) -> None:
        self.relay = relay
        self.home = home
        self._home_then = home.with_name(home.name + ".then")
        self.begin_here()

    def begin_here(self) -> None:
        self._relay_then = self.relay.backup()
        shutil.rmtree(self._home_then, ignore_errors=True)
        shutil.copytree(self.home, self._home_then)

    def rise(self) -> None:
        self.relay.meddle = honest
        self.relay.restore(self._relay_then)
        shutil.rmtree(self.home)
        shutil.copytree(self._home_then, self.home)


def kill_at_every_step(
    stage: Stage, reaper: Reaper, act: Callable[[], None], see: Callable[[], Any], least_steps: int
) -> None:
    """Run `act` once undisturbed, then killed at each step and run again: `see` must see the same each time.

    Each fifth time the second run is killed, too, some steps after it began.
    """
    stage.rise()
    reaper.run(act)
    steps = list(reaper.steps)
    expected = see()
    assert len(steps) >= least_steps, steps
    for at, name in enumerate(steps):
        kills = (at,) if at % 5 else (at, at // 2)
        stage.rise()
        assert reaper.run(act, *kills)
        assert see() == expected, f"killed {name}, step {at}"


def dump(folder: Path) -> list[str]:
    """Return all that a profile's tables hold."""
    connection = sqlite3.connect(folder / FILE)
    try:
        return list(connection.iterdump())
    finally:
        connection.close()
