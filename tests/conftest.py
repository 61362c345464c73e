"""What tests of several folders share."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import figures
from tests.backends import dynamodb_or_none
from tools.stand_ins.aws import s3_served

IN_MEMORY = "/dev/shm"


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder for profiles, in memory where there is such a disk: no test needs power to survive its loss."""
    with tempfile.TemporaryDirectory(dir=IN_MEMORY if os.access(IN_MEMORY, os.W_OK) else None) as folder:
        (home := Path(folder) / "home").mkdir()
        yield home


@pytest.fixture
def report(record_property: figures.Report) -> figures.Report:
    """Report a figure: it is told at the end of the run, also by the workers of a run that is spread."""
    return record_property


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell the figures."""
    reports = [one for outcome in ("passed", "failed") for one in terminalreporter.getreports(outcome)]
    if told := figures.lines(one for one in reports if isinstance(one, pytest.TestReport)):
        terminalreporter.section("figures")
        for line in told:
            terminalreporter.line(line)


@pytest.fixture(scope="session")
def dynamodb_url() -> Iterator[str]:
    """A DynamoDB of this run's own."""
    with dynamodb_or_none() as url:
        yield url


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    """An S3 of this run's own."""
    with s3_served() as url:
        yield url
