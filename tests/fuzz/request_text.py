"""A request as text that a fuzzer can mutate line by line: method and target, fields, an empty line, the body.

Any bytes are one. Nothing is checked or normalised: that is for what is fuzzed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl


@dataclass(frozen=True, slots=True)
class RequestText:
    """What was read. A field's name may stand several times; names are as they came."""

    method: str
    target: str
    fields: Sequence[tuple[str, str]]
    body: bytes

    @property
    def path(self) -> str:
        """The target up to its query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> list[tuple[str, str]]:
        """The query as the gateway decodes it."""
        return parse_qsl(self.target.partition("?")[2], keep_blank_values=True)

    def joined(self) -> dict[str, str]:
        """Return the fields by lower-case name, several values joined (RFC 9110 §5.3)."""
        joined: dict[str, str] = {}
        for name, value in self.fields:
            lower = name.lower()
            joined[lower] = f"{joined[lower]}, {value}" if lower in joined else value
        return joined


def read(data: bytes) -> RequestText:
    """Read a request's text."""
    head, _, body = data.partition(b"\n\n")
    first, *lines = head.decode("latin-1").split("\n")
    method, _, target = first.partition(" ")
    fields = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    return RequestText(method, target, fields, body)


def write(method: str, target: str, fields: Mapping[str, str], body: bytes = b"") -> bytes:
    """Write what `read` reads."""
    lines = [f"{method} {target}", *(f"{name}: {value}" for name, value in fields.items())]
    return "\n".join(lines).encode("latin-1") + b"\n\n" + body
