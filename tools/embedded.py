"""The embedded relay as a process of its own, for the demo, the bench and the end-to-end tests."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Self

from tools.holdings.disk import Disk
from tools.processes import descendants_of

if TYPE_CHECKING:
    from tools.holdings.port import Holdings

STOP_SECONDS = 30


class EmbeddedRelay:
    """A relay that keeps its data in a folder, on a free port unless one is given; stopped at the end.

    `variables` are further `RELAY_…` variables; none are taken from this process.
    """

    def __init__(self, folder: Path, **variables: str) -> None:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("RELAY_")}
        self._environment = inherited | {"RELAY_DATA_DIR": str(folder), "RELAY_PORT": "0"} | variables
        self.folder = folder
        self.holdings: Holdings = Disk(folder)
        """What its stores hold, if they are in its folder."""
        self.url = ""
        self._logged: SimpleQueue[str | None] = SimpleQueue()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.url.rpartition(":")[2])

    @property
    def pid(self) -> int:
        """The server's process."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether its process has not ended."""
        return self._process.poll() is None

    @property
    def processes(self) -> list[int]:
        """The server's process, and all that it started."""
        return [self.pid, *descendants_of(self.pid)]

    def start(self) -> None:
        """Start it; return once it accepts connections. After a stop it takes the same port again."""
        self._process = subprocess.Popen(
            self._command("serve"), env=self._environment, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )
        assert self._process.stdout is not None
        found = (re.search(r"http://\S+", line) for line in self._process.stdout)
        self.url = next((match[0] for match in found if match), "")
        if not self.url:
            raise RuntimeError(f"the relay did not start: exit code {self._process.wait()}")
        self._environment["RELAY_PORT"] = str(self.port)
        self._logged = SimpleQueue()
        self._reader = Thread(target=self._drain, args=(self._process.stdout, self._logged), daemon=True)
        self._reader.start()

    def _drain(self, output: IO[str], logged: "SimpleQueue[str | None]") -> None:
        """Read all that it logs, so that the pipe never fills and holds it up; None is the end."""
        for line in output:
            logged.put(line)
        output.close()
        logged.put(None)

    def lines(self) -> Iterator[str]:
        """Yield what it logs and nobody was told yet, as it comes, until it ends."""
        while (line := self._logged.get()) is not None:
            yield line
        self._logged.put(None)

    def stop(self) -> str:
        """End it cleanly; return what it logged since it started and `lines` did not tell."""
        self._process.terminate()
        self._process.wait(STOP_SECONDS)
        self._reader.join(STOP_SECONDS)
        return "".join(self.lines())

    def wait(self) -> int:
        """Wait until it has ended; return its exit status."""
        return self._process.wait(STOP_SECONDS)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._process.kill()
        self._process.wait(STOP_SECONDS)
        self._reader.join(STOP_SECONDS)

    def maintain(self) -> dict[str, Any]:
        """Run retention once on its stores, beside it; return the counts."""
        counts: dict[str, Any] = json.loads(self._run("maintain").splitlines()[-1])
        return counts

    def new_epoch(self) -> None:
        """Mark its stores as restored from a backup."""
        self._run("new-epoch")

    def _run(self, command: str) -> str:
        finished = subprocess.run(
            self._command(command), env=self._environment, check=True, capture_output=True, text=True
        )
        return finished.stdout

    def _command(self, command: str) -> list[str]:
        return [sys.executable, "-m", "local.cli", command]
