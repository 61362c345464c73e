"""Every way by which something can leave the relay, watched: what passes there is kept, with the name of the place.

Statements and parameters of SQLite, requests to DynamoDB and S3, log records, the standard streams, files, commands,
variables of the environment, exceptions that are raised anywhere in the relay, and what its modules still hold.
"""

import logging
import os
import re
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from tests.zk.audited_events import audited

OURS = ("relay.", "relay_protocol.", "functions.", "local.")
_INSERT = re.compile(r"INSERT INTO (\w+) \((.*?)\)", re.DOTALL)
_OF_THE_MOMENT = frozenset({"created", "msecs", "relativeCreated", "process", "thread"})
"""Numbers of a log record that may by chance be any."""
_RETURNS = (StopIteration, StopAsyncIteration, GeneratorExit)
"""By which coroutines and generators return; nothing goes wrong."""
_UPDATE = re.compile(r"UPDATE (\w+)")


@dataclass
class Sinks:
    """What passed, in its order: the place, and the value."""

    passed: list[tuple[str, object]] = field(default_factory=list)

    def note(self, place: str, value: object) -> None:
        """Keep a value; of a structure each leaf, with its path."""
        if isinstance(value, dict):
            for key, one in value.items():
                self.note(place, key) if not isinstance(key, str) else None
                self.note(f"{place}.{key}", one)
        elif isinstance(value, (list, tuple, set, frozenset)):
            for one in value:
                self.note(place + "[]", one)
        else:
            self.passed.append((place, value))

    def note_parameters(self, sql: str, parameters: Any) -> None:
        """Keep a statement and what is bound: of an INSERT by its column."""
        self.note("sqlite statement", sql)
        insert, update = _INSERT.match(sql.strip()), _UPDATE.match(sql.strip())
        columns = [one.strip() for one in insert[2].split(",")] if insert else []
        for number, value in enumerate(parameters):
            if insert and number < len(columns):
                place = f"INSERT {insert[1]}.{columns[number]}"
            else:
                place = f"UPDATE {update[1]} ?{number + 1}" if update else "sqlite, bound"
            self.note(place, value)


class _Connection(sqlite3.Connection):
    """A connection to one of the relay's databases."""

    sinks = Sinks()

    def execute(self, sql: str, parameters: Any = ()) -> sqlite3.Cursor:
        self.sinks.note_parameters(sql, parameters)
        return super().execute(sql, parameters)

    def executemany(self, sql: str, parameters: Any) -> sqlite3.Cursor:
        rows = list(parameters)
        for row in rows:
            self.sinks.note_parameters(sql, row)
        return super().executemany(sql, rows)

    def executescript(self, script: str) -> sqlite3.Cursor:
        self.sinks.note("sqlite statement", script)
        return super().executescript(script)

    def cursor(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("the relay has no cursors of its own: what they execute would not be seen")


@contextmanager
def watched(directory: Path, clients: Path | None = None) -> Iterator[Sinks]:
    """Watch all sinks. Databases are the relay's if they lie in the directory; new files are looked at in the end.

    What lies in the folder `clients` is not the relay's.
    """
    sinks = Sinks()
    environment = dict(os.environ)
    with pytest.MonkeyPatch.context() as patch, audited(sinks.note, directory, clients), _raised(sinks):
        _watch_sqlite(patch, sinks, directory)
        _watch_logging(patch, sinks)
        yield sinks
    for name, value in os.environ.items():
        if environment.get(name) != value:
            sinks.note("environment", f"{name}={value}")


def watch_aws(client: Any, sinks: Sinks) -> None:
    """Watch a client of botocore: the parameters of each call, and the headers and URL that go out."""
    service = client.meta.service_model.service_name

    def ask(params: Any, model: Any, **_: Any) -> None:
        sinks.note(f"{service} {model.name}", params)

    def send(request: Any, **_: Any) -> None:
        headers = {name: value for name, value in request.headers.items() if not name.lower().startswith("x-amz-c")}
        sinks.note(f"{service}, on the wire", {**headers, "url": request.url})

    client.meta.events.register(f"provide-client-params.{service}", ask)
    client.meta.events.register(f"before-send.{service}", send)


def _watch_sqlite(patch: pytest.MonkeyPatch, sinks: Sinks, directory: Path) -> None:
    connect = sqlite3.connect

    def connect_watched(database: Any, *args: Any, **kwargs: Any) -> sqlite3.Connection:
        if str(directory) in str(database):
            kwargs["factory"] = _Connection
        opened: sqlite3.Connection = connect(database, *args, **kwargs)
        return opened

    patch.setattr(_Connection, "sinks", sinks)
    patch.setattr(sqlite3, "connect", connect_watched)


def _watch_logging(patch: pytest.MonkeyPatch, sinks: Sinks) -> None:
    handle = logging.Logger.handle

    def handle_watched(logger: logging.Logger, record: logging.LogRecord) -> None:
        about = {name: _text(value) for name, value in vars(record).items() if name not in _OF_THE_MOMENT}
        sinks.note(f"log of {logger.name}", about)
        handle(logger, record)

    patch.setattr(logging.Logger, "handle", handle_watched)


def _text(value: object) -> object:
    return value if isinstance(value, (str, bytes, int, dict, list, tuple)) else repr(value)


# ---------------------------------------------------------------- exceptions


def note_exception(sinks: Sinks, error: BaseException) -> None:
    """Keep all that an exception and those behind it would show: arguments, text, notes, attributes."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        about = {"args": one.args, "text": str(one), "notes": getattr(one, "__notes__", [])}
        sinks.note(f"exception {type(one).__name__}", about | vars(one))
        waiting += [one.__cause__, one.__context__ if not one.__suppress_context__ else None]


@contextmanager
def _raised(sinks: Sinks) -> Iterator[None]:
    """Keep each exception that passes through a function of the relay, also one that is caught there.

    Where somebody traces already (a measurement of coverage), only those that end a request are seen.
    """
    if sys.gettrace() is not None:
        yield
        return

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        if event == "call":
            name = frame.f_globals.get("__name__", "")
            if not name.startswith(OURS):
                return None
            frame.f_trace_lines = False
        elif event == "exception":
            error = argument[1]
            if isinstance(error, BaseException) and not isinstance(error, _RETURNS):
                note_exception(sinks, error)
        return trace

    threading.settrace(trace)
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(None)
        threading.settrace(None)
