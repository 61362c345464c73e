"""`python -m tools.emulator`: as `sync-relay-server serve`, but every request is answered by a built function."""

import os
from contextlib import ExitStack, closing

from local.bounds import Bounds
from local.server import Server, bind, make_door, url_of
from relay.wiring import relay_from_environment
from tools.emulator.functions import function_pools


def main() -> None:
    """Run the door; its own relay answers nothing, but tells its settings."""
    relay, bounds = relay_from_environment(), Bounds()
    listener = bind(relay.settings.host, relay.settings.port)

    def ready() -> None:
        print(f"Sync relay listening on {url_of(listener)}", flush=True)

    with ExitStack() as stack:
        pools = {name: stack.enter_context(closing(pool)) for name, pool in function_pools(os.environ).items()}
        Server(make_door(relay, pools, bounds), bounds, ready).run([listener])


if __name__ == "__main__":
    main()
