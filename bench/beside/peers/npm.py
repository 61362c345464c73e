"""The peers' packages, as `make bench` installs them by `peers_npm/package-lock.json`, and the Node that runs them."""

import json
import subprocess
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "peers_npm"
NODE = FOLDER / "node_modules" / ".bin" / "node"


def node_version() -> str:
    """Return the version of the Node that runs them."""
    return subprocess.check_output([NODE, "--version"], text=True).strip()


def version_of(package: str) -> str:
    """Return the version that is installed."""
    found: str = json.loads((FOLDER / "node_modules" / package / "package.json").read_text())["version"]
    return found
