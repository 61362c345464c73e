"""Copies of the checkout, in which bugs are seeded; the checkout itself is never changed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from shutil import copytree, ignore_patterns
from tempfile import TemporaryDirectory

CHECKOUT = Path(__file__).parents[2]
STAND_IN = ".stand-in"
LEFT_OUT = ignore_patterns(
    *(".git", ".venv", ".sam", ".checkov", ".aws-sam", ".lambda", STAND_IN, "data"),
    *("__pycache__", ".*_cache", ".hypothesis", ".coverage*"),
)
SOURCES = ("layers/relay", "client", ".")
"""Where the packages are; a copy's come before those that are installed from the checkout."""


class NotThereOnce(Exception):
    """What a bug would replace is not there, or not once."""


class Copies:
    """Some copies, each for one thread at a time."""

    def __init__(self, folders: list[Path]) -> None:
        self._free: SimpleQueue[Path] = SimpleQueue()
        for folder in folders:
            self._free.put(folder)

    @classmethod
    @contextmanager
    def made(cls, count: int) -> "Iterator[Copies]":
        """Make them; they go in the end."""
        with TemporaryDirectory(prefix="mutate-") as folder:
            yield cls([_copy(Path(folder) / str(number)) for number in range(count)])

    @contextmanager
    def sound(self) -> Iterator[Path]:
        """Give a copy without a bug."""
        copy = self._free.get()
        try:
            yield copy
        finally:
            self._free.put(copy)

    @contextmanager
    def seeded(self, path: Path, old: str, new: str) -> Iterator[Path]:
        """Give a copy with one bug. Raises NotThereOnce."""
        with self.sound() as copy:
            source = (copy / path).read_text("utf-8")
            if source.count(old) != 1:
                raise NotThereOnce(f"not there once, but {source.count(old)} times")
            (copy / path).write_text(source.replace(old, new), "utf-8")
            try:
                yield copy
            finally:
                (copy / path).write_text(source, "utf-8")


def _copy(place: Path) -> Path:
    """Copy the checkout, but for what was built; the emulator of DynamoDB is shared."""
    copytree(CHECKOUT, place, ignore=LEFT_OUT)
    if (CHECKOUT / STAND_IN).exists():
        (place / STAND_IN).symlink_to(CHECKOUT / STAND_IN)
    return place


def python_path(copy: Path) -> str:
    """Return `PYTHONPATH` for a copy's own sources."""
    return os.pathsep.join(str(copy / source) for source in SOURCES)
