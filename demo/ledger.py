"""A Beancount ledger as entities that sync: each directive is one, in the text its author wrote."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

_DATED = re.compile(r"\d{4}-\d{2}-\d{2} (\S+)")
_KINDS = {"*": "transaction", "!": "transaction"}


@dataclass(frozen=True, slots=True)
class Directive:
    """One directive: its place in the file, what it is, and its text."""

    place: int
    kind: str
    text: str

    def payload(self) -> bytes:
        """Return what is sealed into a change."""
        return json.dumps({"place": self.place, "kind": self.kind, "text": self.text}).encode()

    @classmethod
    def from_payload(cls, payload: bytes) -> "Directive":
        """Read what `payload` wrote."""
        return cls(**json.loads(payload))


class Ledger:
    """The directives by entity id. Applied in the log's order, the same changes give the same ledger."""

    def __init__(self) -> None:
        self._directives: dict[str, Directive] = {}

    def __len__(self) -> int:
        return len(self._directives)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ledger) and self._directives == other._directives

    def __hash__(self) -> int:
        raise TypeError("a ledger changes")

    def items(self) -> list[tuple[str, Directive]]:
        """Return entity ids and directives, in the order of the file."""
        return sorted(self._directives.items(), key=lambda item: (item[1].place, item[0]))

    def put(self, entity_id: str, directive: Directive) -> None:
        """Add or replace a directive."""
        self._directives[entity_id] = directive

    def remove(self, entity_id: str) -> None:
        """Remove a directive, if it is there."""
        self._directives.pop(entity_id, None)

    def text(self) -> str:
        """Return the ledger as a file."""
        return "\n".join(directive.text for _, directive in self.items())


def read_directives(text: str) -> Iterator[Directive]:
    """Split a ledger file into its directives; comments and headings are left out."""
    lines: list[str] = []
    place = 0
    for line in [*text.splitlines(), ""]:
        if line.startswith((" ", "\t")) and lines:
            lines.append(line)
            continue
        if lines:
            yield Directive(place, _kind(lines[0]), "\n".join(lines) + "\n")
            place += 1
        lines = [line] if _DATED.match(line) or line.startswith("option ") else []


def _kind(line: str) -> str:
    dated = _DATED.match(line)
    return _KINDS.get(dated[1], dated[1]) if dated else "option"
