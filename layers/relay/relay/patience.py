"""How long a store in the network is asked again, and how the waits between are spread."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from relay.ports import StoreUnavailable

DEADLINE_SECONDS = 5.0
"""From a port's call to its last try. API Gateway waits for 29 s; clients are told to come back sooner."""
FIRST_PAUSE_SECONDS = 0.02
LONGEST_PAUSE_SECONDS = 0.5


@dataclass(slots=True)
class Patience:
    """One call of a port: it may pause and try again until the deadline is near.

    Pauses are random between nothing and a bound that doubles ("full jitter"), so that those who collided do not
    collide again.
    """

    seconds: float = DEADLINE_SECONDS
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _pauses: int = field(init=False, default=0)
    _deadline: float = field(init=False)

    def __post_init__(self) -> None:
        self._deadline = self.monotonic() + self.seconds

    def pause(self, reason: str) -> None:
        """Wait a little. Raises StoreUnavailable with this reason where no time is left for another try."""
        bound = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**self._pauses)
        self._pauses += 1
        pause_seconds = random.uniform(0, bound)  # noqa: S311 -- spreads load, guards nothing
        if self.monotonic() + pause_seconds >= self._deadline:
            raise StoreUnavailable(reason)
        self.sleep(pause_seconds)
