"""The audit of a set of files: read them, learn what they declare, follow the sealed values in each."""

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tools.lint_zk.declarations import Module, declared_by
from tools.lint_zk.report import Finding
from tools.lint_zk.rules import SEALED_MODULE
from tools.lint_zk.taint import follow

OWN_DECLARATIONS = Path(__file__).parents[2] / "layers" / "relay"
"""Always known, so that a file audited alone is judged by what it uses."""


@dataclass(frozen=True, slots=True)
class Report:
    """All findings in order, and how many files were read and sealed expressions were seen in them."""

    findings: Sequence[Finding]
    files: int
    uses: int


def audit(paths: Iterable[Path]) -> Report:
    """Audit files, and all Python files below folders. Raises OSError or SyntaxError for what can't be read."""
    modules = [_read(path) for path in _python_files(paths)]
    declared = declared_by([*_own_modules(), *modules])
    findings: set[Finding] = set()
    uses = 0
    for module in modules:
        if module.name != SEALED_MODULE:
            seen = follow(module, declared)
            findings |= seen.findings
            uses += len(seen.uses)
    return Report(sorted(findings), len(modules), uses)


def module_name(path: Path) -> str:
    """Return the dotted name that a file is imported by: its packages are the folders with an `__init__.py`."""
    names = [] if path.stem == "__init__" else [path.stem]
    folder = path.parent
    while (folder / "__init__.py").exists():
        names.insert(0, folder.name)
        folder = folder.parent
    return ".".join(names)


@cache
def _own_modules() -> tuple[Module, ...]:
    return tuple(_read(path) for path in _python_files([OWN_DECLARATIONS]))


def _read(path: Path) -> Module:
    return Module(path, module_name(path), ast.parse(path.read_bytes(), str(path)))


def _python_files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(path.rglob("*.py"))
        else:
            yield path
