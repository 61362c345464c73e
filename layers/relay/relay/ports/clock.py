"""Time and randomness, which tests own."""

from typing import Protocol


class Clock(Protocol):
    """The wall clock."""

    def now_us(self) -> int:
        """Return Unix microseconds."""


class Ids(Protocol):
    """Randomness."""

    def uuid(self) -> str:
        """Return a new random UUID, lower case, hyphenated."""
