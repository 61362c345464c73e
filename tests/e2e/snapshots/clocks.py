"""Relays whose clock a test moves, and their stores' with it: the handlers in this process, and the built functions."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, Protocol

from relay.adapters.filesystem import FilesystemBlobs
from relay.config import Settings
from relay.http import gateway
from relay.http.routes import ROUTES
from relay_protocol.limits import Limits
from tests.http.served import served
from tests.http.world import GROUPS, World, open_stores
from tools.emulator.functions import CLOCK
from tools.emulator.relay import BuiltRelay
from tools.stand_ins.aws import ACCESS_KEY, REGION, SECRET_KEY
from tools.stand_ins.s3_server import S3Server, running
from tools.stand_ins.stores import Stores


class AgingRelay(Protocol):
    """A relay in front of which time passes as the test says."""

    url: str
    limits: Limits

    def seconds(self) -> float:
        """Return the time, which devices have, too."""

    def advance(self, seconds: int) -> None:
        """Let time pass."""

    def maintain(self) -> object:
        """Run retention once."""

    def blobs(self, vault_id: str) -> int:
        """Return how many blobs it keeps for a vault."""


class AgingHandlers:
    """The handlers behind a door of this process, with a clock of the test's own."""

    def __init__(self, world: World, url: str) -> None:
        self.url = url
        self.limits = world.relay.settings.limits
        self._world = world

    def seconds(self) -> float:
        return self._world.clock.seconds

    def advance(self, seconds: int) -> None:
        self._world.clock.advance(seconds)

    def maintain(self) -> object:
        return self._world.maintain()

    def blobs(self, vault_id: str) -> int:
        return len([key for key in list(self._world.relay.blobs.keys()) if key.startswith(vault_id)])


@contextmanager
def aging_handlers(folder: Path) -> Iterator[AgingRelay]:
    """Serve them on a socket."""
    world = World(*open_stores("sqlite", folder), Settings(limits=Limits(rate_limit=None)))
    blobs = FilesystemBlobs(folder / "blobs", b"k" * 32)
    world.replace(blobs=blobs)

    def handler(event: dict[str, Any], _: object) -> dict[str, Any]:
        return gateway.handle(world.relay, GROUPS[ROUTES[event["resource"]].group], event)

    with served(handler, blobs=blobs, clock=world.clock, max_body_bytes=4 * 1024 * 1024) as running:
        yield AgingHandlers(world, running.url)


class AgingFunctions:
    """The built functions and their S3, with clocks that are ahead of the machine's."""

    def __init__(self, relay: BuiltRelay, s3: S3Server, clock: Path) -> None:
        self.url = relay.url
        self.limits = Limits()
        self._relay = relay
        self._s3 = s3
        self._clock = clock

    def seconds(self) -> float:
        return time.time() + self._s3.seconds_ahead

    def advance(self, seconds: int) -> None:
        self._s3.seconds_ahead += seconds
        written = self._clock.with_suffix(".new")
        written.write_text(str(self._s3.seconds_ahead))
        written.replace(self._clock)

    def maintain(self) -> object:
        return self._relay.maintain()

    def blobs(self, vault_id: str) -> int:
        (objects,) = self._s3.buckets.values()  # asked for by its client, it would find that one's clock off
        return sum(key.startswith(f"blobs/{vault_id}") for key in objects)


@contextmanager
def aging_functions(folder: Path, dynamodb_url: str) -> Iterator[AgingRelay]:
    """Start them, on empty tables and a bucket of an S3 of their own."""
    clock = folder / "seconds ahead"
    clock.write_text("0")
    with ExitStack() as stack:
        s3 = stack.enter_context(running(ACCESS_KEY, SECRET_KEY, REGION))
        stores = stack.enter_context(closing(Stores(dynamodb_url, s3.url)))
        relay = stack.enter_context(BuiltRelay(folder / "relay", stores, RELAY_RATE_LIMIT="off", **{CLOCK: str(clock)}))
        yield AgingFunctions(relay, s3, clock)
