"""SQL may put the sealed column away, give it back and empty it: no function, condition or order looks at it.

The audit sees Python alone, and what a statement does inside SQLite comes out at no sink.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from relay.adapters import sqlite as adapter

FOLDER = Path(adapter.__file__).parent
STATEMENT = re.compile(r"^\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|WITH)\b|\b(WHERE|ORDER BY)\b", re.IGNORECASE)
SEALED = re.compile(r"\btext\b", re.IGNORECASE)
ALLOWED = re.compile(
    r"(?<=, )text(?=, size_bytes FROM changesets\b)|(?<=, )text(?=\) VALUES)|(?<= SET )text(?= = NULL)"
)
"""Given back, put away, emptied."""


def looks(statement: str) -> bool:
    """Whether a statement does anything else with the sealed column."""
    return bool(STATEMENT.search(statement)) and bool(SEALED.search(ALLOWED.sub("", statement)))


def statements() -> Iterator[tuple[str, str]]:
    """Yield each text in the adapter's source that may be SQL, but for docstrings, with its file."""
    for path in sorted(FOLDER.glob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        told = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in told:
                yield path.name, node.value


def test_no_statement_looks_at_what_is_sealed() -> None:
    found = list(statements())
    assert sum(bool(SEALED.search(text)) for _, text in found) >= 3
    assert [one for one in found if looks(one[1])] == []


@pytest.mark.parametrize(
    "statement",
    [
        " WHERE place > ? AND length(text) > 0 ORDER BY place LIMIT ?",
        "SELECT seq, substr(text, 1, 9), size_bytes FROM changesets",
        "SELECT text FROM changesets WHERE text LIKE ?",
        "UPDATE changesets SET hint = text",
        "CREATE INDEX by_text ON changesets (text)",
        "SELECT place FROM changesets ORDER BY text",
    ],
)
def test_a_statement_that_looks_is_seen(statement: str) -> None:
    assert looks(statement)
