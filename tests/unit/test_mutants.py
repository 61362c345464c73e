"""`make mutate` takes long and is run by hand: here it is seen that each of its bugs can still be seeded."""

from pathlib import Path

import pytest

from tools.mutate.mutants import MUTANTS, Mutant

CHECKOUT = Path(__file__).parents[2]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_what_a_mutant_replaces_stands_there_once(mutant: Mutant) -> None:
    assert (CHECKOUT / mutant.path).read_text().count(mutant.old) == 1
    assert (CHECKOUT / mutant.tests).is_file()
