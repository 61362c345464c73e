"""What tests of several folders share."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

IN_MEMORY = "/dev/shm"


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder for profiles, in memory where there is such a disk: no test needs power to survive its loss."""
    with tempfile.TemporaryDirectory(dir=IN_MEMORY if os.access(IN_MEMORY, os.W_OK) else None) as folder:
        (home := Path(folder) / "home").mkdir()
        yield home
