"""Bugs that the tests must see: the tests run in a copy of the checkout."""

import os
import subprocess
import sys
from pathlib import Path

from tools.mutate.copies import Copies, python_path
from tools.mutate.mutants import Mutant

TIMEOUT_SECONDS = 300
PASSED, FAILED = 0, 1


def is_sound(copies: Copies, tests: str) -> bool:
    """Whether the tests pass without a bug."""
    with copies.sound() as copy:
        return _run(copy, tests) == "survived"


def tried(copies: Copies, mutant: Mutant) -> str:
    """Return what became of a bug: caught, survived, or why it could not be tried. Raises NotThereOnce."""
    with copies.seeded(mutant.path, mutant.old, mutant.new) as copy:
        return _run(copy, mutant.tests)


def _run(copy: Path, tests: str) -> str:
    """Run tests in the copy, on the copy's own sources."""
    command = [sys.executable, "-B", "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests.split()]
    environment = os.environ | {"PYTHONPATH": python_path(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        ended = subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, check=False, timeout=TIMEOUT_SECONDS
        )
    except subprocess.TimeoutExpired:
        return "ran too long"
    known = {PASSED: "survived", FAILED: "caught"}
    return known.get(ended.returncode, f"could not be run (pytest's status {ended.returncode})")
