"""The embedded relay as a process of its own, for the demo, the bench and the end-to-end tests."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

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

    def lines(self) -> Iterator[str]:
        """Yield what it logs, as it comes."""
        assert self._process.stdout is not None
        for line in self._process.stdout:  # noqa: UP028 -- which would close the pipe when its reader has enough
            yield line

    def stop(self) -> str:
        """End it cleanly; return what it logged since it started."""
        self._process.terminate()
        output, _ = self._process.communicate(timeout=STOP_SECONDS)
        return output

    def wait(self) -> int:
        """Wait until it has ended; return its exit status."""
        return self._process.wait(STOP_SECONDS)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._process.kill()
        self._process.communicate(timeout=STOP_SECONDS)

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
