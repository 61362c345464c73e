"""The process whose instructions are counted: the tree under test, by its handlers or behind its socket.

It is run by its path, not as a module: what it imports is the tree's that PYTHONPATH names, which may be another one
than this file's. `worker.py handlers FILE` gives the events of a file to the Lambda handlers. `worker.py server` is the
embedded server's command, which marks when it gets SIGUSR1.

A mark is two calls of getppid(2), before each of which callgrind writes what it has counted since the last, and begins
at nought. Between the two the garbage collector has its turn: a full collection in the middle of a measure costs as
much as a hundred pushes, and when it comes hangs on everything that was done before.
"""

import asyncio
import gc
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import relay
from functions.changesets import app as changesets
from functions.devices import app as devices
from functions.vaults import app as vaults
from local.cli import main

SLOWED_DOWN = 50
"""How much longer all takes under callgrind, about. What goes by the clock goes as much slower then, so that a request
is interrupted no more often than without: threads that pass the interpreter on, and the server's tick."""


def mark() -> None:
    """End what is measured, tidy up, begin the next."""
    os.getppid()
    gc.collect()
    gc.freeze()
    os.getppid()


def handlers(file: str) -> None:
    """Give each measure's events to the function that they are for."""
    measures: list[dict[str, list[dict[str, Any]]]] = json.loads(Path(file).read_text("utf-8"))
    by_resource = {
        "/devices": devices.handler,
        "/vaults/{vault_id}": vaults.handler,
        "/vaults/{vault_id}/changesets": changesets.handler,
    }
    for measure in measures:
        for part in ("before", "measured"):
            mark()
            for event in measure[part]:
                answer = by_resource[event["resource"]](event, None)
                if answer["statusCode"] != event["expected"]:
                    raise SystemExit(f"{answer['statusCode']}: {answer['body']}")
    mark()


class SlowAsyncio:
    """The module, for one that is to sleep longer."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 -- whatever it has
        """Return the module's own."""
        return getattr(asyncio, name)

    async def sleep(self, seconds: float) -> None:
        """Sleep as long as it would take if all else was as slow."""
        await asyncio.sleep(seconds * SLOWED_DOWN)


def server() -> None:
    """Serve until a signal ends it."""

    def on_signal(*_: object) -> None:
        mark()
        os.write(1, b"marked\n")  # sys.stdout may be in the middle of something

    signal.signal(signal.SIGUSR1, on_signal)
    if "uvicorn.server" in sys.modules:
        sys.modules["uvicorn.server"].asyncio = SlowAsyncio()  # type: ignore[attr-defined]  # which ticks by `sleep`
    sys.exit(main(["serve"]))


if __name__ == "__main__":
    tree = Path(os.environ["PYTHONPATH"].partition(os.pathsep)[0])
    assert Path(relay.__file__ or "").is_relative_to(tree), "measuring another tree than the one that was named"
    sys.setswitchinterval(sys.getswitchinterval() * SLOWED_DOWN)
    if sys.argv[1] == "handlers":
        handlers(sys.argv[2])
    else:
        server()
