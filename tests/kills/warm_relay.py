"""An embedded relay that starts in a moment, so that it can be killed hundreds of times.

A process imports the server once; each start forks a child of it, which is then the server as `sync-relay-server serve`
runs it: it opens its stores, binds its port, and is killed as any process is. Run as a module, this is that process.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

END_SECONDS = 30
LISTENING = "Sync relay listening on "


class WarmRelay:
    """A relay that keeps its data in a folder. `variables` are further `RELAY_…` variables."""

    def __init__(self, folder: Path, **variables: str) -> None:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("RELAY_")}
        ours = {"RELAY_DATA_DIR": str(folder), "RELAY_PORT": "0", "RELAY_RATE_LIMIT": "off", "RELAY_LOG_LEVEL": "ERROR"}
        self._environment = inherited | ours | variables
        self.kills = 0
        self.pid = self.port = 0

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.kills.warm_relay"],
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        assert self._process.stdin is not None
        os.kill(self.pid, signal.SIGKILL)
        self._process.stdin.close()
        self._process.wait(END_SECONDS)
        assert self._process.stdout is not None
        self._process.stdout.close()

    @property
    def url(self) -> str:
        """Where it listens: at one port all its life."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it; return once it accepts connections."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{self.port}\n")
        self._process.stdin.flush()
        self.pid = int(self._line("pid "))
        self.port = int(self._line(LISTENING).rpartition(":")[2])

    def kill(self, before_it_starts: Callable[[], object] = int) -> None:
        """Kill it, wherever that finds it, and start it again."""
        os.kill(self.pid, signal.SIGKILL)
        self._line("ended")
        self.kills += 1
        before_it_starts()
        self.start()

    def _line(self, opening: str) -> str:
        """Read on to the line that begins so; return its rest."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith(opening):
                return line.removeprefix(opening).strip()
        raise AssertionError(f"the relay ended before it said {opening!r}")


def main() -> None:
    """Fork a server for each line that comes, on the port that the line names."""
    from local.cli import main as run_server

    for line in iter(sys.stdin.readline, ""):
        os.environ["RELAY_PORT"] = line.strip()
        child = os.fork()
        if child == 0:
            os._exit(run_server(["serve"]))
        print(f"pid {child}", flush=True)  # noqa: T201 -- for the process above
        os.waitpid(child, 0)
        print("ended", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
