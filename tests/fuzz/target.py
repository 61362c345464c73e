"""What is fuzzed: a function of bytes that raises where an invariant is broken, and inputs to begin with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """One invariant, or a few that go together. `check` takes any bytes; what it raises is a finding."""

    name: str
    check: Callable[[bytes], None]
    seeds: Callable[[], Sequence[bytes]]
    """Inputs that reach far, most of them from the test vectors."""
    words: Sequence[bytes] = ()
    """What the inputs are made of: a mutation puts them in."""
