"""A server as a process of its own, from its command, until it is stopped by its process id."""

import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tools.processes import descendants_of

START_SECONDS = 60
STOP_SECONDS = 30


class Served:
    """A process that listens on a port of the loopback, with its log in a file beside its data."""

    def __init__(
        self, command: Sequence[str], port: int, log: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.port = port
        self._stops: list[Callable[[], None]] = []
        self._is_traced = command[0] == "strace"
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                env={**_inherited(), **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self._wait_until_it_listens(log)

    def _wait_until_it_listens(self, log: Path) -> None:
        limit = time.monotonic() + START_SECONDS
        while time.monotonic() < limit and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        self.stop()
        raise RuntimeError(f"{self._process.args!r} did not start: {log.read_text(errors='replace')[-2000:]}")

    @property
    def processes(self) -> list[int]:
        """The process, and all that it started and that still run."""
        return [self._process.pid, *descendants_of(self._process.pid)]

    def also_stops(self, stop: Callable[[], None]) -> None:
        """Have something else stopped with it."""
        self._stops.append(stop)

    def stop(self) -> None:
        """End it, and what it started. A tracer ends with what it traces."""
        started = self.processes
        os.kill(started[-1] if self._is_traced else started[0], signal.SIGTERM)
        for stop in self._stops:
            stop()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            for process in started:
                os.kill(process, signal.SIGKILL)
            self._process.wait(STOP_SECONDS)


def free_port() -> int:
    """Return a port of the loopback that no one listens on now."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        return port


def _inherited() -> dict[str, str]:
    """Return this process's variables, but those that would configure a server."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("RELAY_", "ACTUAL_", "NODE_"))}


def post(port: int, path: str, body: bytes, fields: Mapping[str, str], expected: int = 201) -> bytes:
    """Set something up, before the clock starts; return the answer's body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
    connection.request("POST", path, body, dict(fields))
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    assert answer.status == expected, text
    return text
