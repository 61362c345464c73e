"""Where the figures of each part are kept, and what they were measured on."""

import json
import os
import platform
import re
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "results"
FILE = FOLDER / "scale.json"

Results = dict[str, Any]


def keep(part: str, measured_on: dict[str, str], figures: Results, file: Path = FILE) -> None:
    """Put a part's figures in the place of those that it had; other parts stay."""
    results = read(file)
    results[part] = {"measured_on": measured_on, **figures}
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(results, indent=1) + "\n", "utf-8")


def read(file: Path = FILE) -> Results:
    """Return all parts' figures."""
    return dict(json.loads(file.read_text("utf-8"))) if file.exists() else {}


def machine() -> dict[str, str]:
    """Describe this machine without naming it."""
    cpuinfo = Path("/proc/cpuinfo").read_text()
    model = re.search(r"^model name\s*: (.*)$", cpuinfo, re.MULTILINE)
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cpu": f"{model[1] if model else platform.machine()}, {os.cpu_count()} cores",
        "kernel": f"{platform.system()} {platform.release().partition('-')[0]}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "load": f"{os.getloadavg()[0]:.1f}",
    }
