"""Whoever builds the layer from these sources gets these bytes: what is deployed can be compared with a tag."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from tests.backends import give_up
from tools.emulator.emulator import ROOT
from tools.layer.build import BUILT_AT_SECONDS
from tools.layer.lambda_python import PythonMissingError, lambda_python

HERE = "arm64" if platform.machine() in {"aarch64", "arm64"} else "x86_64"


def build(folder: Path, umask: int, **habits: str) -> Path:
    """Build the layer as `make build` does, for this machine."""
    command = [sys.executable, "-m", "tools.layer", str(folder), "--architecture", HERE]
    subprocess.run(command, cwd=ROOT, env=os.environ | habits, umask=umask, check=True)
    return folder


@pytest.fixture(scope="module")
def two_builds(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Build it twice: at two times, in two places, by people with other habits."""
    try:
        lambda_python()
    except PythonMissingError as error:
        give_up(str(error))
    one = build(tmp_path_factory.mktemp("here") / "layer", 0o022, PYTHONHASHSEED="1", TZ="UTC")
    other = tmp_path_factory.mktemp("somewhere") / "else" / "another"
    return one, build(other, 0o077, PYTHONHASHSEED="7", TZ="Pacific/Auckland", LC_ALL="C")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_two_builds_are_the_same_bytes(two_builds: tuple[Path, Path]) -> None:
    once, again = map(contents, two_builds)
    assert once.keys() == again.keys()
    assert [name for name in once if once[name] != again[name]] == []
    assert len(once) > 500


def test_no_file_tells_when_or_by_whom_it_was_built(two_builds: tuple[Path, Path]) -> None:
    for folder in two_builds:
        files = [path.stat() for path in folder.rglob("*") if path.is_file()]
        assert {(file.st_mode & 0o777, file.st_mtime) for file in files} == {(0o644, BUILT_AT_SECONDS)}
