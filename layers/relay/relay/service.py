"""The relay assembled: its settings and its ports. `wiring` makes one from the environment, tests make their own."""

import hmac
from dataclasses import dataclass
from hashlib import sha256

from relay.config import Settings
from relay.observability import Telemetry
from relay.ports import Blobs, Clock, Ids, Limiter, Log
from relay_protocol.encoding import pae


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
    """Keys the hashes that client addresses are counted by (§9), and those that stand for vaults in the log."""

    def vault_hash(self, vault_id: str) -> str:
        """Return what stands for a vault in the log, 16 hex digits. The key leads from id to hash, not back."""
        return hmac.digest(self.address_key, pae("sync-relay/log/v1", vault_id), sha256)[:8].hex()

    def now_ms(self) -> int:
        """Return the clock's Unix milliseconds."""
        return self.clock.now_us() // 1000
