"""The relay's clock, as its `Date` tells it (§4)."""

import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import TypeVar

from sync_relay_conformance.verdicts import NotApplicable

SAME_CLOCK_SECONDS = 1.5
"""`Date` has whole seconds, and may be a moment old: nearer than this it is our own clock."""
FUZZ_SECONDS = 2
EARLY = 0.3
"""The part of a second in which something is asked that has to be judged within it."""
MOST_TRIES = 20

T = TypeVar("T")


class RelayClock:
    """The relay's clock: ours, or ours with the offset that `Date` shows.

    `fuzz_seconds` is how far from a bound a check has to stay: 0 where both clocks are one.
    """

    def __init__(self, date: str | None = None, asked: float = 0.0, answered: float = 0.0) -> None:
        """Read `Date` of an answer; `asked` and `answered` are our own times around it, Unix seconds."""
        self._offset = 0.0
        if date is not None:
            told = parsedate_to_datetime(date).timestamp() + 0.5
            if not asked - SAME_CLOCK_SECONDS <= told <= answered + SAME_CLOCK_SECONDS:
                self._offset = told - (asked + answered) / 2
        self.fuzz_seconds = FUZZ_SECONDS if self._offset else 0

    def now(self) -> int:
        """Return the relay's time, Unix seconds."""
        return int(time.time() + self._offset)

    def within_a_second(self, ask: Callable[[int], T]) -> T:
        """Ask something of which the second matters, until the answer came in the second that it was asked in.

        `ask` is given that second. Raises NotApplicable where the relay never answers as quickly.
        """
        for _ in range(MOST_TRIES):
            time.sleep(self._seconds_until_early())
            now = self.now()
            answer = ask(now)
            if self.now() == now:
                return answer
        raise NotApplicable("no answer came within a second")

    def _seconds_until_early(self) -> float:
        """Return how long to wait, so that most of a second is left for the way to the relay."""
        fraction = (time.time() + self._offset) % 1
        return 0.0 if fraction < EARLY else 1.02 - fraction
