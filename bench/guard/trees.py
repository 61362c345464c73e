"""The sources that are measured: this checkout's, and those of a commit."""

import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

CHECKOUT = Path(__file__).parents[2]
MEASURED = ("layers", "functions", "local", "schema", "requirements")


class NoSuchCommit(Exception):
    """This clone does not have it."""


@contextmanager
def tree_of(commit: str) -> Iterator[Path]:
    """Give a commit's sources, in a folder that goes in the end. Raises NoSuchCommit."""
    archive = subprocess.run(["git", "archive", commit, *MEASURED], cwd=CHECKOUT, capture_output=True, check=False)
    if archive.returncode:
        raise NoSuchCommit(commit)
    with TemporaryDirectory(prefix="guard-") as folder, tarfile.open(fileobj=BytesIO(archive.stdout)) as opened:
        opened.extractall(folder, filter="data")
        yield Path(folder)


def head() -> str:
    """Return the commit that is checked out."""
    return _git("rev-parse", "HEAD")


def is_committed() -> bool:
    """Whether what is measured is what is committed."""
    return not _git("status", "--porcelain", "--", *MEASURED)


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=CHECKOUT, check=True, capture_output=True, text=True).stdout.strip()
