"""`python -m tools.emulator`: as `sync-relay-server serve`, but every request is answered by a built function."""

import os
from contextlib import ExitStack, closing

from local.bounds import Bounds
from local.server import Server, bind, make_door, url_of
from relay.adapters.memory import MemoryBlobs, MemoryLimiter, MemoryLog
from relay.config import Settings
from relay.observability import PowertoolsTelemetry
from relay.service import Relay
from relay.wiring import RandomIds, SystemClock
from tools.emulator.functions import function_pools


def main() -> None:
    """Run the door."""
    relay, bounds = _unasked_relay(Settings.from_environment(os.environ)), Bounds()
    listener = bind(relay.settings.host, relay.settings.port)

    def ready() -> None:
        print(f"Sync relay listening on {url_of(listener)}", flush=True)

    with ExitStack() as stack:
        pools = {name: stack.enter_context(closing(pool)) for name, pool in function_pools(os.environ).items()}
        Server(make_door(relay, pools, bounds), bounds, ready).run([listener])


def _unasked_relay(settings: Settings) -> Relay:
    """Return the door's own relay, which tells its settings and logs what the door refuses; its stores stay empty."""
    return Relay(
        settings=settings,
        log=MemoryLog(),
        blobs=MemoryBlobs(),
        limiter=MemoryLimiter(),
        clock=SystemClock(),
        ids=RandomIds(),
        telemetry=PowertoolsTelemetry(settings.log_level, settings.service_name),
        address_key=bytes(32),
    )


if __name__ == "__main__":
    main()
