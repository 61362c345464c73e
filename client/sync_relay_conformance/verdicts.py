"""How a check ends: it returns, or raises one of these."""

from typing import Any

SHOWN_CHARACTERS = 300


class Failed(Exception):
    """The relay did something else than the protocol says."""

    def __init__(self, expected: str, came: str) -> None:
        super().__init__(f"expected {expected}, got {came}")
        self.expected = expected
        self.came = came


class NotApplicable(Exception):
    """What is checked can't be seen at this relay, for the reason given: how it is set up, or what it allows."""


def shown(value: object) -> str:
    """Return a value as text for people, cut if it is long."""
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}… ({len(text)} characters)"


def must(holds: bool, expected: str, came: object) -> None:  # noqa: FBT001 -- reads as an assertion
    """Raise Failed unless it holds."""
    if not holds:
        raise Failed(expected, shown(came))


def must_equal(came: Any, expected: Any, what: str) -> None:  # noqa: ANN401 -- any value of an answer
    """Raise Failed unless what came is what was expected, of the same type too: 1 is not true, nor 1.0."""
    if came != expected or type(came) is not type(expected):
        raise Failed(f"{what} = {shown(repr(expected))}", shown(repr(came)))
