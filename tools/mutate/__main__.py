"""`python -m tools.mutate [WORD…]`: seed each bug (whose name has all words) in a copy of the checkout, run its tests.

Prints what was caught and what survived; exit 1 if a bug survives, 2 if the tests fail without one. The checkout
itself is never changed.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from shutil import copytree, ignore_patterns
from tempfile import TemporaryDirectory

from tools.mutate.mutants import MUTANTS, Mutant

CHECKOUT = Path(__file__).parents[2]
LEFT_OUT = ignore_patterns(".git", ".venv", "data", "__pycache__", ".*_cache", ".hypothesis", ".coverage*")
SOURCES = ("layers/relay", "client", ".")
"""Where the packages are; the copy's come before those that are installed from the checkout."""
TIMEOUT_SECONDS = 300
PASSED, FAILED = 0, 1


def main(words: list[str]) -> int:
    """Try the bugs; return the exit status."""
    mutants = [mutant for mutant in MUTANTS if all(word in mutant.name for word in words)]
    workers = os.cpu_count() or 1
    with TemporaryDirectory(prefix="mutate-") as folder:
        copies: SimpleQueue[Path] = SimpleQueue()
        for number in range(workers):
            copies.put(copytree(CHECKOUT, Path(folder) / str(number), ignore=LEFT_OUT))
        with ThreadPoolExecutor(workers) as pool:
            tests = sorted({mutant.tests for mutant in mutants})
            sound = list(pool.map(lambda test: _in_a_copy(copies, None, test) == "survived", tests))
            if not all(sound):
                print("fail without a bug:", *(test for test, passes in zip(tests, sound, strict=True) if not passes))
                return 2
            results = list(pool.map(lambda mutant: _in_a_copy(copies, mutant, mutant.tests), mutants))
    _tell(mutants, results)
    return 0 if set(results) <= {"caught"} and mutants else 1


def _in_a_copy(copies: "SimpleQueue[Path]", mutant: Mutant | None, tests: str) -> str:
    """Return what became of a bug, or of none: caught, survived, or why it was not tried."""
    copy = copies.get()
    try:
        if mutant is None:
            return _run(copy, tests)
        source = (copy / mutant.path).read_text()
        if source.count(mutant.old) != 1:
            return f"not there once, but {source.count(mutant.old)} times"
        (copy / mutant.path).write_text(source.replace(mutant.old, mutant.new))
        try:
            return _run(copy, tests)
        finally:
            (copy / mutant.path).write_text(source)
    finally:
        copies.put(copy)


def _run(copy: Path, tests: str) -> str:
    """Run tests in the copy, on the copy's own sources."""
    path = os.pathsep.join(str(copy / source) for source in SOURCES)
    command = [sys.executable, "-B", "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", tests]
    environment = os.environ | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        ended = subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, check=False, timeout=TIMEOUT_SECONDS
        )
    except subprocess.TimeoutExpired:
        return "ran too long"
    known = {PASSED: "survived", FAILED: "caught"}
    return known.get(ended.returncode, f"could not be run (pytest's status {ended.returncode})")


def _tell(mutants: Sequence[Mutant], results: Sequence[str]) -> None:
    for mutant, result in zip(mutants, results, strict=True):
        print(f"{result:9} {mutant.name}")
    print()
    for tests in dict.fromkeys(mutant.tests for mutant in mutants):
        group = [result for mutant, result in zip(mutants, results, strict=True) if mutant.tests == tests]
        print(f"{group.count('caught'):3} of {len(group):3} caught by {tests}")
    caught = sum(result == "caught" for result in results)
    print(f"{caught:3} of {len(results):3} seeded bugs caught")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
