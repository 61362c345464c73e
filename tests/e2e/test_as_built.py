"""Every end-to-end test is run against what `sam build` made, too, or says why not."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.e2e.conftest import COLLECTED

pytestmark = pytest.mark.not_as_built("it reads the other tests' marks")

FOLDER = Path(__file__).parent
ENOUGH = 10
"""Letters of a reason."""


def name_of(item: pytest.Item) -> str:
    """Return where a test is, without what it is run with."""
    return item.nodeid.partition("[")[0]


def is_run_as_built(item: pytest.Item) -> bool:
    return item.get_closest_marker("as_built") is not None


def says_why_not(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("not_as_built")
    return marker is not None and len(str(marker.args[0])) >= ENOUGH


def unexplained(items: Iterable[pytest.Item]) -> set[str]:
    """Return the tests of which no item is run as built, and that do not say why."""
    items = list(items)
    explained = {name_of(item) for item in items if is_run_as_built(item) or says_why_not(item)}
    return {name_of(item) for item in items} - explained


def test_each_test_is_run_as_built_or_says_why_not(pytestconfig: pytest.Config) -> None:
    collected = pytestconfig.stash[COLLECTED]
    if {item.path for item in collected} != set(FOLDER.rglob("test_*.py")):
        pytest.skip("only some of the tests were asked for")
    assert unexplained(collected) == set()
    as_built = {name_of(item) for item in collected if is_run_as_built(item)}
    contradicted = {name_of(item) for item in collected if says_why_not(item)} & as_built
    assert contradicted == set(), "they are run, though they say why not"
