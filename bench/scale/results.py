"""Where the figures of each part are kept, and what they were measured on."""

import json
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
