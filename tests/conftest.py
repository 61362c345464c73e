"""What tests of several folders share."""

import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests import figures
from tests.backends import need_built_functions, needed_dynamodb
from tests.e2e.relays import BuiltRelays, EmbeddedRelays, Relays
from tools.stand_ins.aws import s3_served

IN_MEMORY = "/dev/shm"


def pytest_configure() -> None:
    """Heed Ctrl-C: what a shell starts in the background ignores it, and so would all that tests start and stop."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test of a relay twice, the other time against what `sam build` made, but for those that say why not."""
    if "relay_kind" in metafunc.fixturenames:
        is_once = metafunc.definition.get_closest_marker("not_as_built")
        as_built = pytest.param("emulated", marks=pytest.mark.as_built)
        metafunc.parametrize("relay_kind", ["embedded"] if is_once else ["embedded", as_built], scope="module")


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
    with needed_dynamodb() as url:
        yield url


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    """An S3 of this run's own."""
    with s3_served() as url:
        yield url


@pytest.fixture(scope="module")
def relays(relay_kind: str, request: pytest.FixtureRequest) -> Relays:
    """Relays of the kind that the test is run against."""
    built: BuiltRelays | None = request.getfixturevalue("built_relays") if relay_kind == "emulated" else None
    return built or EmbeddedRelays()


@pytest.fixture(scope="session")
def built_relays(tmp_path_factory: pytest.TempPathFactory, dynamodb_url: str, s3_url: str) -> Iterator[BuiltRelays]:
    """Relays as they are deployed, where this machine can have them."""
    need_built_functions()
    with ExitStack() as stack:
        yield BuiltRelays(stack, tmp_path_factory.mktemp("built"), dynamodb_url, s3_url)
