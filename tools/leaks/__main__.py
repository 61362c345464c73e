"""`python -m tools.leaks [WORD…]`: seed each leak (whose kind and name have all words) in a copy; see who catches it.

Exit 1 if a leak is caught by none, or by other nets than `leaks.py`
says; 2 if a net holds something without a leak.
"""

import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree import ElementTree as ET

from tools.leaks.leaks import LEAKS
from tools.leaks.seeding import AUDIT, MYPY, NETS, ON_AWS, SINKS, TYPE, Leak
from tools.mutate.copies import Copies, python_path

AUDITED = ("layers/relay", "functions", "local")
SINK_TESTS = "tests/zk/test_sinks.py"
WITH_TYPE, WITHOUT_TYPE = "by_type", "plain"
"""The two ways in which they are run."""
TIMEOUT_SECONDS = 600
TYPE_ERRORS = ("SealedError", "TypeError", "AttributeError")
"""What a sealed value makes of a use: its own error, or Python's where a value of this class does not do at all."""


def main(words: list[str]) -> int:
    """Seed the leaks; return the exit status."""
    leaks = [leak for leak in LEAKS if all(word in f"{leak.kind}, {leak.name}" for word in words)]
    workers = int(os.environ.get("LEAK_WORKERS", os.cpu_count() or 1))
    with Copies.made(workers) as copies, ThreadPoolExecutor(workers) as pool:
        sound = list(pool.map(lambda store: _nets(copies, None, store), sorted({leak.store for leak in leaks})))
        if any(sound):
            print("caught without a leak:", *sound)
            return 2
        caught = list(pool.map(lambda leak: _tell(leak, _nets(copies, leak, leak.store)), leaks))
    as_told = sum(found == leak.caught for leak, found in zip(leaks, caught, strict=True))
    by_net = Counter(net for found in caught for net in found)
    print(", ".join(f"{net}: {by_net[net]}" for net in NETS))
    print(f"{sum(map(bool, caught))} of {len(leaks)} seeded leaks caught, {as_told} by the nets that the table names")
    return 0 if as_told == len(leaks) and leaks else 1


def _nets(copies: Copies, leak: Leak | None, store: str) -> frozenset[str]:
    """Return which nets catch a leak, or hold something without one. Raises NotThereOnce."""
    place = copies.sound() if leak is None else copies.seeded(leak.path, leak.old, leak.new)
    with place as copy:
        return _caught(copy, store)


def _caught(copy: Path, store: str) -> frozenset[str]:
    audit = _run(copy, "-m", "tools.lint_zk", *AUDITED)
    assert audit.returncode in {0, 1}, audit.stderr
    mypy = _run(copy, "-m", "mypy", *AUDITED)
    assert mypy.returncode in {0, 1}, mypy.stdout
    test = "test_on_aws" if store == ON_AWS else "test_on_sqlite"
    found = {AUDIT} if audit.returncode else set()
    found |= {MYPY} if mypy.returncode else set()
    failed = _failed_sinks(copy, test)
    found |= {SINKS} if WITHOUT_TYPE in failed else set()
    if WITH_TYPE in failed:
        found.add(TYPE if any(error in failed[WITH_TYPE] for error in TYPE_ERRORS) else SINKS)
    return frozenset(found)


def _failed_sinks(copy: Path, test: str) -> dict[str, str]:
    """Run the search of the sinks; return in which ways it failed, and what each said."""
    report = copy / "report.xml"
    options = ["-q", "-p", "no:cacheprovider", "--tb=short", "--show-capture=no", f"--junitxml={report}"]
    ended = _run(copy, "-m", "pytest", *options, "-k", test, SINK_TESTS)
    assert ended.returncode in {0, 1}, ended.stdout
    failed = {}
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 -- our own
        texts = [f"{one.get('message')} {one.text}" for one in case.iter("failure")]
        if texts:
            failed[case.get("name", "").rpartition("[")[2].rstrip("]")] = " ".join(texts)
    return failed


def _run(copy: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the copy, on the copy's own sources."""
    environment = os.environ | {"PYTHONPATH": python_path(copy), "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(copy)}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=copy,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_SECONDS,
    )


def _tell(leak: Leak, found: frozenset[str]) -> frozenset[str]:
    nets = " ".join(net for net in NETS if net in found) or "NOT CAUGHT"
    expected = "" if found == leak.caught else f"   (the table: {' '.join(net for net in NETS if net in leak.caught)})"
    print(f"{nets:24} {leak.kind}: {leak.name}{expected}", flush=True)
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
