"""Inputs that are kept with the tests: what the coverage-guided fuzzer went far with, and what once broke something.

Both are files of one input a line, in base64: `corpus/<target>.txt` and `found/<target>.txt`.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterable
from pathlib import Path

FOLDER = Path(__file__).parent


def kept(kind: str, name: str) -> list[bytes]:
    """Return a target's inputs, of `corpus` or of `found`; none if there is no such file."""
    path = FOLDER / kind / f"{name}.txt"
    return [b64decode(line, validate=True) for line in path.read_text("ascii").split()] if path.exists() else []


def keep(kind: str, name: str, inputs: Iterable[bytes]) -> None:
    """Write a target's inputs, the shortest first."""
    path = FOLDER / kind / f"{name}.txt"
    path.parent.mkdir(exist_ok=True)
    ordered = sorted(set(inputs), key=lambda data: (len(data), data))
    path.write_text("".join(b64encode(data).decode() + "\n" for data in ordered), "ascii")
