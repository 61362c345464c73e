"""The threat model says what becomes of each lie, as the tests of the lies show it."""

from tests.lying_relay.every import ABOUT
from tests.lying_relay.registry import LIES
from tests.lying_relay.table import BEGIN, PAGE, with_table


def test_the_table_in_the_threat_model_is_that_of_the_lies() -> None:
    page = PAGE.read_text("utf-8")
    assert BEGIN in page
    assert page == with_table(page), "run `make lies`"


def test_every_lie_is_in_it_once() -> None:
    listed = [lie.name for group in ABOUT.values() for lie in group]
    assert sorted(listed) == sorted(lie.name for lie in LIES)
    assert len(set(listed)) == len(listed)
    assert len({lie.what for lie in LIES}) == len(LIES)


def test_every_lie_has_one_outcome() -> None:
    assert [lie.name for lie in LIES if not (lie.caught or lie.why or lie.advice)] == []
