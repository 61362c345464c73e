"""Who may do what, through a real socket: the embedded server adds no way in, and takes none away."""

from collections.abc import Iterator

import pytest

from relay.adapters.memory import MemoryLimiter, MemoryLog
from relay.config import Settings
from relay_protocol.limits import Limits
from tests.http.access_callers import SEND_AS, Scene
from tests.http.access_stage import Stage, ask
from tests.http.socket_world import SocketRelay, behind_a_socket
from tests.http.test_http_access import CELLS, told
from tests.http.world import World
from tools.access.matrix import ROWS, Row


@pytest.fixture(scope="module")
def shared() -> World:
    """One relay for all: each cell has a stage of its own."""
    return World(MemoryLog(), MemoryLimiter(), Settings(limits=Limits(rate_limit=None)))


@pytest.fixture(scope="module")
def relay(shared: World) -> Iterator[SocketRelay]:
    with behind_a_socket(shared) as relay:
        yield relay


@pytest.mark.parametrize(("row", "caller"), CELLS)
def test_each_caller_is_answered_as_the_table_says(shared: World, relay: SocketRelay, row: Row, caller: str) -> None:
    scene = Scene(Stage(shared), ask(row.name, row.method, row.resource), relay.send)
    assert told(SEND_AS[caller](scene)) == row.answers[caller]


@pytest.mark.parametrize("row", [row for row in ROWS if "{vault_id}" in row.resource], ids=lambda row: row.name)
def test_a_vault_of_others_and_none_are_answered_with_the_same_bytes(
    shared: World, relay: SocketRelay, row: Row
) -> None:
    scene = Scene(Stage(shared), ask(row.name, row.method, row.resource), relay.send)
    theirs, none = (
        relay.reply(scene.draft(scene.stage.outsider, vault).event())
        for vault in (scene.stage.vault, scene.stage.nowhere())
    )
    for reply in (theirs, none):
        assert reply.headers.pop("date")
    assert theirs.status == 404
    assert theirs == none
