"""A limiter that is waited for, as one in the network is."""

from collections.abc import Callable

from relay.adapters.memory import MemoryLimiter
from relay.ports import Quota, Ticket


class WaitedLimiter(MemoryLimiter):
    """Lets the caller go on meanwhile, and only then judges."""

    def take(self, key: bytes, quota: Quota, now_us: int, meanwhile: Callable[[], None] | None = None) -> Ticket:
        if meanwhile is not None:
            meanwhile()
        return super().take(key, quota, now_us)
