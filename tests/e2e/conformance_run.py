"""Running the conformance kit as its command, against a relay of the tests."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Conformance:
    """What the kit said: its exit status, its lines, and its results."""

    status: int
    lines: list[str]
    checks: list[dict[str, Any]]

    @property
    def failed(self) -> list[str]:
        return [line for line in self.lines if line.startswith("FAILED")]

    @property
    def not_applicable(self) -> set[str]:
        """Why checks were not applicable."""
        return {check["reason"] for check in self.checks if check["outcome"] == "not applicable"}


def conformance(url: str, folder: Path, *options: str) -> Conformance:
    """Run the kit against a relay; it writes its results into the folder."""
    results = folder / "conformance.json"
    command = [sys.executable, "-m", "sync_relay_conformance", "--url", url, "--json", str(results), *options]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert results.exists(), ended.stderr
    return Conformance(ended.returncode, ended.stdout.splitlines(), json.loads(results.read_text())["checks"])
