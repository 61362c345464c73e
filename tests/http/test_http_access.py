"""Who may do what, from the table of the docs: every request as every kind of caller, to the handlers themselves."""

from pathlib import Path

import pytest

from relay.http.routes import ROUTES
from tests.http.access_callers import SEND_AS, Scene
from tests.http.access_stage import SPECIAL, Stage, ask
from tests.http.documented import Answer
from tests.http.world import World
from tools.access.callers import CALLERS
from tools.access.document import document
from tools.access.matrix import ROWS, Row

PAGE = Path(__file__).parents[2] / "docs" / "who-may-do-what.md"
CELLS = [pytest.param(row, caller, id=f"{row.name} - {caller}") for row in ROWS for caller in CALLERS]


def told(answer: Answer) -> str:
    """Return an answer as the table writes it."""
    return f"{answer.status} {answer.code}" if answer.code else str(answer.status)


@pytest.mark.parametrize(("row", "caller"), CELLS)
def test_each_caller_is_answered_as_the_table_says(world: World, row: Row, caller: str) -> None:
    scene = Scene(Stage(world), ask(row.name, row.method, row.resource), world.handle)
    assert told(SEND_AS[caller](scene)) == row.answers[caller]


def test_every_route_has_a_row_and_every_row_a_route() -> None:
    """A new route fails here until it is said who may use it."""
    of_the_code = {(method, route.resource) for route in ROUTES.values() for method in route.methods}
    assert {(row.method, row.resource) for row in ROWS} == of_the_code


def test_every_row_says_what_every_caller_is_answered() -> None:
    assert SEND_AS.keys() == CALLERS.keys()
    for row in ROWS:
        assert row.answers.keys() == CALLERS.keys()
    assert len({row.name for row in ROWS}) == len(ROWS)
    assert SPECIAL.keys() <= {row.name for row in ROWS}


def test_the_page_is_the_table() -> None:
    assert PAGE.read_text() == document(), "make access"
