"""`make leaks` takes long and is run by hand: here it is seen that each of its leaks can still be seeded."""

import ast
from pathlib import Path

import pytest

from tools.leaks.document import PAGE, with_table
from tools.leaks.leaks import LEAKS
from tools.leaks.seeding import NETS, Leak

CHECKOUT = Path(__file__).parents[2]


@pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: f"{leak.kind}: {leak.name}")
def test_what_a_leak_replaces_stands_there_once(leak: Leak) -> None:
    source = (CHECKOUT / leak.path).read_text()
    assert source.count(leak.old) == 1
    ast.parse(source.replace(leak.old, leak.new))
    assert leak.caught
    assert leak.caught <= set(NETS)


def test_the_threat_model_has_the_table() -> None:
    page = PAGE.read_text("utf-8")
    assert page == with_table(page), "run `make leaks-table`"


def test_there_are_leaks_of_every_kind_that_was_asked_for() -> None:
    assert len(LEAKS) >= 30
    assert len({leak.name for leak in LEAKS}) == len(LEAKS)
