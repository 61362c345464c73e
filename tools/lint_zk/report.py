"""What the audit reports."""

from dataclasses import dataclass
from pathlib import Path

from tools.lint_zk.rules import RULES


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """A place in the source, the rule that it breaks, and the code that breaks it."""

    path: Path
    line: int
    column: int
    code: str
    source: str

    def __str__(self) -> str:
        """Return the line that the command prints."""
        return f"{self.path}:{self.line}:{self.column}: {self.code} sealed value {RULES[self.code]}: {self.source}"
