"""`python -m tools.emulator serve`, `maintain`, `new-epoch`: as `sync-relay-server`, by the functions as built."""

import argparse
import json
import os
from contextlib import ExitStack, closing
from functools import partial

from local.bounds import Bounds
from local.server import Server, bind, make_door, url_of
from relay.wiring import relay_from_environment
from tools.emulator.built import Built
from tools.emulator.emulator import Emulator
from tools.emulator.pool import FunctionPool
from tools.events.story import SCHEDULED

MOST_INSTANCES = 3
"""Of each function: enough for calls to overlap."""
TASKS = {"maintain": SCHEDULED, "new-epoch": {"task": "new-epoch"}}
"""What the maintenance function is called with."""


def main() -> None:
    """Run a command."""
    parser = argparse.ArgumentParser(prog="tools.emulator", description=__doc__)
    parser.add_argument("command", choices=("serve", *TASKS))
    command = parser.parse_args().command
    with ExitStack() as stack:
        pools = {name: stack.enter_context(closing(pool)) for name, pool in _pools().items()}
        if command == "serve":
            _serve(pools)
            return
        counts = pools["maintenance"](TASKS[command])
    print(json.dumps(counts))


def _pools() -> dict[str, FunctionPool]:
    built = Built(VaultCreation="open")
    given = {name: value for name, value in os.environ.items() if name.startswith(("RELAY_", "AWS_"))}
    return {
        group: FunctionPool(partial(Emulator, function, built.variables(function, given)), MOST_INSTANCES)
        for group, function in built.functions.items()
    }


def _serve(pools: dict[str, FunctionPool]) -> None:
    """Run the door; its own relay answers nothing, but tells its settings."""
    relay, bounds = relay_from_environment(), Bounds()
    listener = bind(relay.settings.host, relay.settings.port)

    def ready() -> None:
        print(f"Sync relay listening on {url_of(listener)}", flush=True)

    Server(make_door(relay, pools, bounds), bounds, ready).run([listener])


if __name__ == "__main__":
    main()
