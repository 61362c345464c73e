"""`python -m tools.audit.advisories`, by the Python of .audit/: known vulnerabilities of everything in every lock.

It asks PyPI's vulnerability service, which needs more than a package index. What could not be asked about is told, and
fails: no answer is not a good one.
"""

import json
import subprocess
import sys
from tempfile import NamedTemporaryFile
from typing import Any

from tools.audit.locks import ROOT, all_locks, read_lock

KNOWN: dict[str, str] = {}
"""Advisories by their id that do not concern us, and why."""


def main() -> int:
    """Ask about each lock; return the exit status: 1 for a vulnerability, 2 where something was not answered."""
    vulnerable = unknown = 0
    for lock in all_locks():
        names = {package.name for package in read_lock(lock)}
        found, unasked = judge(_asked(lock), names)
        vulnerable, unknown = vulnerable + len(found), unknown + len(unasked)
        print(*found, f"{lock}: {len(found)} vulnerable, {len(unasked)} could not be asked about", sep="\n", flush=True)
        if unasked == names:
            print(
                "the vulnerability service can't be reached from here: nothing is known of any lock that is not above"
            )
            return 2
    return 1 if vulnerable else 2 if unknown else 0


def judge(dependencies: list[dict[str, Any]], wanted: set[str]) -> tuple[list[str], set[str]]:
    """Return what is vulnerable, and the packages of which nothing is known."""
    answered = {str(one["name"]).lower() for one in dependencies if "vulns" in one}
    found = [
        f"{one['name']} {one['version']}: {advisory['id']}, fixed in {advisory['fix_versions']}"
        for one in dependencies
        for advisory in one.get("vulns", ())
        if advisory["id"] not in KNOWN
    ]
    return found, wanted - answered


def _asked(lock: str) -> list[dict[str, Any]]:
    """Ask pip-audit about a lock; without an answer, return nothing."""
    with NamedTemporaryFile("r") as report:
        options = ["--disable-pip", "--require-hashes", "--progress-spinner=off", "-f", "json", "-o", report.name]
        command = [sys.executable, "-m", "pip_audit", *options, "-r", str(ROOT / "requirements" / f"{lock}.lock")]
        subprocess.run(command, check=False, capture_output=True)
        text = report.read()
    return list(json.loads(text)["dependencies"]) if text else []


if __name__ == "__main__":
    sys.exit(main())
