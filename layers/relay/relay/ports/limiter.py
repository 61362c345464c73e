"""Rate limits (§9)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Quota:
    """So many requests in so many seconds; the whole quota may come at once (§9)."""

    requests: int
    window_seconds: int

    @property
    def interval_us(self) -> int:
        """The time one request costs, in microseconds (at least one)."""
        return max(1, self.window_seconds * 1_000_000 // self.requests)

    def take(self, arrival_us: int | None, now_us: int) -> tuple["Ticket", int]:
        """Judge one request by GCRA; return the ticket and the theoretical arrival time to store.

        `arrival_us` is the stored one, None if there is none. Times are Unix microseconds.
        """
        interval = self.interval_us
        burst_us = interval * self.requests
        due = min(max(now_us, arrival_us or 0), now_us + burst_us)  # a clock that was set back locks nobody out
        allowed = due + interval - now_us <= burst_us
        next_due = due + interval if allowed else due
        ticket = Ticket(
            allowed=allowed,
            remaining=max(0, (burst_us - (next_due - now_us)) // interval),
            reset_seconds=_whole_seconds(next_due - now_us),
            retry_after_seconds=0 if allowed else max(1, _whole_seconds(due + interval - now_us - burst_us)),
        )
        return ticket, next_due


def _whole_seconds(duration_us: int) -> int:
    return -(-duration_us // 1_000_000)


@dataclass(frozen=True, slots=True)
class Ticket:
    """The limiter's word on one request: requests left, seconds until the whole quota is back, and until the next."""

    allowed: bool
    remaining: int
    reset_seconds: int
    retry_after_seconds: int


class Limiter(Protocol):
    """Rate limits by opaque keys. Nothing in it needs to survive a loss of power."""

    def take(self, key: bytes, quota: Quota, now_us: int, meanwhile: Callable[[], None] | None = None) -> Ticket:
        """Judge one request in one atomic step. Each call counts.

        A store that has to be waited for may call `meanwhile` once, on the caller's thread, and returns after it. It
        must not raise, nor do anything that a refused request may not have done.
        """

    def forget(self, now_us: int) -> None:
        """Remove the keys whose quota is whole again."""
