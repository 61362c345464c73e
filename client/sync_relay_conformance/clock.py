"""The relay's clock, as its `Date` tells it (§4)."""

import time
from email.utils import parsedate_to_datetime

SAME_CLOCK_SECONDS = 1.5
"""`Date` has whole seconds, and may be a moment old: nearer than this it is our own clock."""
FUZZ_SECONDS = 2


class RelayClock:
    """The relay's clock: ours, or ours with the offset that `Date` shows.

    `fuzz_seconds` is how far from a bound a check has to stay: 0 where both clocks are one.
    """

    def __init__(self, date: str | None) -> None:
        self._offset = 0.0
        if date is not None:
            offset = parsedate_to_datetime(date).timestamp() + 0.5 - time.time()
            self._offset = offset if abs(offset) > SAME_CLOCK_SECONDS else 0.0
        self.fuzz_seconds = FUZZ_SECONDS if self._offset else 0

    def now(self) -> int:
        """Return the relay's time, Unix seconds."""
        return int(time.time() + self._offset)

    def early_in_a_second(self) -> int:
        """Wait until a second is young, so that what is sent now is judged within it; return that second."""
        fraction = (time.time() + self._offset) % 1
        if fraction > 0.4:  # noqa: PLR2004 -- the rest of it is for the way to the relay
            time.sleep(1.02 - fraction)
        return self.now()
