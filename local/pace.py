"""Whether a transfer comes on: some bytes at each look, and on average enough of them."""

from local.bounds import Bounds


class Pace:
    """The speed of one transfer since it began. Times are the event loop's, in seconds."""

    def __init__(self, bounds: Bounds, now: float, done_bytes: int = 0) -> None:
        self._bounds = bounds
        self._began = now
        self._at_begin_bytes = done_bytes
        self._at_last_look_bytes = done_bytes

    def is_too_slow(self, now: float, done_bytes: int) -> bool:
        """Whether nothing came since the last look, or too little since the beginning and its grace."""
        stalled = done_bytes == self._at_last_look_bytes
        self._at_last_look_bytes = done_bytes
        due_bytes = (now - self._began - self._bounds.grace_seconds) * self._bounds.min_bytes_per_second
        return stalled or done_bytes - self._at_begin_bytes < due_bytes
