"""The relay assembled: its settings and its ports. `wiring` makes one from the environment, tests make their own."""

from dataclasses import dataclass

from relay.config import Settings
from relay.observability import Telemetry
from relay.ports import Blobs, Clock, Ids, Limiter, Log


@dataclass(frozen=True, slots=True)
class Relay:
    """What every handler works with. Safe for several threads at once, as each of its ports is."""

    settings: Settings
    log: Log
    blobs: Blobs
    limiter: Limiter
    clock: Clock
    ids: Ids
    telemetry: Telemetry
    address_key: bytes
    """Keys the hashes that client addresses are counted by (§9)."""

    def now_ms(self) -> int:
        """Return the clock's Unix milliseconds."""
        return self.clock.now_us() // 1000
