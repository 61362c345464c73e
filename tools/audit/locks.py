"""What the hash locks hold, and which of them is delivered where."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DELIVERED = {"server": "run", "server on AWS": "aws", "layer": "layer", "client": "client"}
"""What others run of us, by the lock that names all it is made of."""

_ENTRY = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)([^\n]*)((?:\n    --hash=sha256:[0-9a-f]{64}[^\n]*)+)", re.MULTILINE)
_HASH = re.compile(r"sha256:([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Locked:
    """One package of a lock. `hashes` are the SHA-256 of each file that may be installed, in hexadecimal."""

    name: str
    version: str
    hashes: tuple[str, ...]
    condition: str
    """On which systems, as the lock writes it; empty for all."""


def read_lock(name: str, folder: Path = ROOT / "requirements") -> list[Locked]:
    """Read `requirements/<name>.lock`. Raises ValueError where a line is no package with hashes."""
    text = (folder / f"{name}.lock").read_text("utf-8")
    found = [
        Locked(match[1].lower(), match[2], tuple(_HASH.findall(match[4])), match[3].strip(" \\;"))
        for match in _ENTRY.finditer(text)
    ]
    if len(found) != len(re.findall(r"^\S", text, re.MULTILINE)):
        raise ValueError(f"{name}.lock has a line that is no package with its hashes")
    return found


def all_locks(folder: Path = ROOT / "requirements") -> list[str]:
    """Return the names of all locks."""
    return sorted(path.stem for path in folder.glob("*.lock"))
