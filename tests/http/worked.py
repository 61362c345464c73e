"""What a relay did for a request: the calls of its stores, what SQLite ran, what was hashed and verified."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import pytest

from relay_protocol import signing
from relay_protocol.devices import verifies
from tests.http.world import World

PORTS = ("log", "blobs", "limiter")


@dataclass
class Work:
    """All that was done, in its order; and the steps of SQLite's virtual machine."""

    done: list[str] = field(default_factory=list)
    steps: int = 0


class _Noting:
    """A port that notes each call."""

    def __init__(self, name: str, port: Any, work: Work) -> None:
        self._name, self._port, self._work = name, port, work

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if not callable(found):
            return found

        def call(*args: Any, **kwargs: Any) -> Any:
            self._work.done.append(f"{self._name}.{name}")
            return found(*args, **kwargs)

        return call


class Worked:
    """Watches one world. Whatever it is asked to do is noted in `work`."""

    def __init__(self, world: World) -> None:
        self.work = Work()
        world.replace(**{name: _Noting(name, getattr(world.relay, name), self.work) for name in PORTS})

    def note(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*args: Any, **kwargs: Any) -> Any:
            self.work.done.append(name)
            return function(*args, **kwargs)

        return noted

    def during(self, request: Callable[[], object]) -> Work:
        """Return what was done for a request."""
        self.work.done.clear()
        self.work.steps = 0
        request()
        return Work(list(self.work.done), self.work.steps)


@contextmanager
def watched(world: World) -> Iterator[Worked]:
    """Watch a world, whose connections to SQLite were made by `counted_connections`."""
    worked = Worked(world)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(signing, "verifies", worked.note("verify", verifies))
        patch.setattr(signing, "sha256", worked.note("sha256", sha256))
        patch.setattr(_Counted, "work", worked.work)
        yield worked


class _Counted(sqlite3.Connection):
    """A connection that notes its statements and counts its steps."""

    work = Work()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.set_progress_handler(self._step, 1)

    def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:
        self.work.done.append(sql)
        return super().execute(sql, *args)

    def _step(self) -> int:
        self.work.steps += 1
        return 0


@contextmanager
def counted_connections() -> Iterator[None]:
    """Let each connection that is opened meanwhile be counted."""
    connect = sqlite3.connect
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite3, "connect", lambda *args, **kwargs: connect(*args, **kwargs, factory=_Counted))
        yield
