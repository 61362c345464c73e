"""Asking again: what may pass by itself is tried anew after a pause, longer each time, with jitter."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from sync_relay_client.errors import RelayRefused, RelayUnreachable
from sync_relay_client.flow import Flow, Pause

R = TypeVar("R")

_TEMPORARY_STATUSES = frozenset({429, 502, 503, 504})
"""Of the relay (§6), and of what stands before it."""


@dataclass(frozen=True, slots=True)
class Retry:
    """How often and how long. Every request of the protocol may be repeated (§4): a replay changes nothing."""

    max_attempts: int = 8
    first_pause_seconds: float = 0.5
    max_pause_seconds: float = 30.0
    """Neither our own pause nor one that the relay asks for is longer: then it is time to give up."""
    draw: Callable[[], float] = random.random
    """Draws the jitter, from 0 to 1."""

    def run(self, ask: Callable[[], Flow[R]]) -> Flow[R]:
        """Ask until there is an answer; raise the last error, with how often it was tried, when giving up."""
        attempt = 1
        while True:
            try:
                return (yield from ask())
            except (RelayUnreachable, RelayRefused) as error:
                pause_seconds = self._pause_seconds(attempt, error)
                if pause_seconds is None:
                    error.attempts = attempt
                    raise
            yield Pause(pause_seconds)
            attempt += 1

    def _pause_seconds(self, attempt: int, error: RelayUnreachable | RelayRefused) -> float | None:
        """Return how long to wait before the next attempt, None to give up."""
        asked_seconds = (error.retry_after_seconds or 0) if isinstance(error, RelayRefused) else 0
        if not is_temporary(error) or attempt >= self.max_attempts or asked_seconds > self.max_pause_seconds:
            return None
        longest_seconds = min(self.max_pause_seconds, self.first_pause_seconds * float(2 ** (attempt - 1)))
        return asked_seconds + longest_seconds * self.draw()


def is_temporary(error: RelayUnreachable | RelayRefused) -> bool:
    """Whether asking again later may help."""
    return isinstance(error, RelayUnreachable) or error.status in _TEMPORARY_STATUSES
