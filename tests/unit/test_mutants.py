"""`make mutate` takes long and is run by hand: here it is seen that each of its bugs can still be seeded."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from sync_relay_conformance.registry import all_checks
from tools.mutate.mutants import MUTANTS, Mutant
from tools.mutate.relay_mutants import RelayMutant
from tools.mutate.relays import RELAY_MUTANTS

CHECKOUT = Path(__file__).parents[2]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_what_a_mutant_replaces_stands_there_once(mutant: Mutant) -> None:
    assert (CHECKOUT / mutant.path).read_text().count(mutant.old) == 1
    assert all((CHECKOUT / path).is_file() for path in mutant.tests.split())


@pytest.mark.parametrize("mutant", RELAY_MUTANTS, ids=lambda mutant: mutant.name)
def test_a_relay_s_mutant_can_be_seeded_and_its_check_is_one(mutant: RelayMutant) -> None:
    source = (CHECKOUT / mutant.path).read_text("utf-8")
    assert source.count(mutant.old) == 1
    compile(source.replace(mutant.old, mutant.new), mutant.name, "exec")
    assert [check.title for check in all_checks()].count(mutant.check) == 1


@pytest.mark.parametrize("mutants", [MUTANTS, RELAY_MUTANTS], ids=["of tests", "of relays"])
def test_no_two_mutants_have_one_name(mutants: Sequence[Mutant | RelayMutant]) -> None:
    names = Counter(mutant.name for mutant in mutants)
    assert [name for name, count in names.items() if count > 1] == []
