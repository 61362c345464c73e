"""Rate limits in memory."""

from collections.abc import Callable
from threading import Lock

from relay.ports import Quota, Ticket


class MemoryLimiter:
    """`relay.ports.Limiter` of one process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._arrivals_us: dict[bytes, int] = {}

    def take(self, key: bytes, quota: Quota, now_us: int, meanwhile: Callable[[], None] | None = None) -> Ticket:
        """See `Limiter.take`. There is nothing to wait for."""
        del meanwhile
        with self._lock:
            ticket, self._arrivals_us[key] = quota.take(self._arrivals_us.get(key), now_us)
            return ticket

    def forget(self, now_us: int) -> None:
        """See `Limiter.forget`."""
        with self._lock:
            self._arrivals_us = {key: due for key, due in self._arrivals_us.items() if due > now_us}
