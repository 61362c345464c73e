"""Whatever bytes come, every reader refuses them by name or understands them: kept inputs, and mutations of them."""

import pytest

from tests.fuzz.corpus import kept
from tests.fuzz.mutations import mutated
from tests.fuzz.targets import TARGETS

MUTATIONS = 1000


def check_all(name: str, inputs: list[bytes]) -> None:
    for data in inputs:
        try:
            TARGETS[name].check(data)
        except BaseException as error:
            raise AssertionError(f"{name} breaks on {data!r}") from error


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_inputs_that_go_far_break_no_invariant(name: str) -> None:
    check_all(name, [*TARGETS[name].seeds(), *kept("corpus", name)])


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_inputs_that_once_broke_something_do_no_more(name: str) -> None:
    check_all(name, kept("found", name))


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_mutated_inputs_break_no_invariant(name: str) -> None:
    check_all(name, list(mutated(TARGETS[name], kept("corpus", name), MUTATIONS)))
