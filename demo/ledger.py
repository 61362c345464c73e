"""A Beancount ledger as entities that sync: each directive is one, in the text its author wrote."""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from sqlite3 import Connection
from typing import BinaryIO

from sync_relay_client import Change

_DATED = re.compile(r"\d{4}-\d{2}-\d{2} (\S+)")
_KINDS = {"*": "transaction", "!": "transaction"}
_PUT = "INSERT OR REPLACE INTO ledger VALUES (?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class Directive:
    """One directive: its place in the file, what it is, and its text."""

    place: int
    kind: str
    text: str

    def payload(self) -> bytes:
        """Return what is sealed into a change."""
        return json.dumps(asdict(self)).encode()


class Ledger:
    """A device's directives, in a table of its profile's own file.

    Applied in the log's order, the same changes give the same ledger.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def prepare(self) -> None:
        """Make the table, if it is not there."""
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS ledger"
            " (entity_id TEXT PRIMARY KEY, place INTEGER NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL) STRICT"
        )

    def items(self) -> list[tuple[str, Directive]]:
        """Return entity ids and directives, in the order of the file."""
        rows = self._connection.execute("SELECT entity_id, place, kind, text FROM ledger ORDER BY place, entity_id")
        return [(entity_id, Directive(*directive)) for entity_id, *directive in rows]

    def apply(self, change: Change) -> None:
        """Put a directive, or remove it."""
        if change.operation_type == "delete":
            self._connection.execute("DELETE FROM ledger WHERE entity_id = ?", (change.entity_id,))
        else:
            found = Directive(**json.loads(change.payload))
            self._connection.execute(_PUT, (change.entity_id, found.place, found.kind, found.text))

    def write(self, file: BinaryIO) -> None:
        """Write all of it, as a snapshot's content: a line of JSON for each directive."""
        for entity_id, directive in self.items():
            line = json.dumps([entity_id, directive.place, directive.kind, directive.text])
            file.write(line.encode() + b"\n")

    def replace(self, file: BinaryIO) -> None:
        """Read what `write` wrote, in the place of what is there."""
        self._connection.execute("DELETE FROM ledger")
        self._connection.executemany(_PUT, map(json.loads, file))


def text_of(items: list[tuple[str, Directive]]) -> str:
    """Return a ledger as a file."""
    return "\n".join(directive.text for _, directive in items)


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
