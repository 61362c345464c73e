"""A leak: a small change of the relay's source by which something sealed gets out, or is looked at."""

from dataclasses import dataclass
from pathlib import Path
from textwrap import indent

RELAY = Path("layers/relay/relay")
PROTOCOL = Path("layers/relay/relay_protocol")

AUDIT, MYPY, TYPE, SINKS = "audit", "mypy", "type", "sinks"
NETS = (AUDIT, MYPY, TYPE, SINKS)
"""What may catch a leak: `make lint-zk`, mypy, `Sealed` that raises, and the canaries at the sinks without the type."""

ON_SQLITE = "sqlite"
ON_AWS = "aws"


@dataclass(frozen=True, slots=True)
class Leak:
    """In `path`, `old` (which stands there once) becomes `new`. `caught` are the nets that must catch it, all of them.

    `store` is the one that the sinks are watched on.
    """

    kind: str
    name: str
    caught: frozenset[str]
    path: Path
    old: str
    new: str
    store: str = ON_SQLITE


def before(anchor: str, code: str) -> tuple[str, str]:
    """Return what is replaced, and by what, so that the code runs before the line that is the anchor."""
    spaces = " " * (len(anchor) - len(anchor.lstrip()))
    return anchor, indent(code, spaces) + "\n" + anchor
