"""Turns are taken in order of arrival, by who comes back too; who waits too long is told, and the others go on."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

import pytest

from relay.ports import StoreUnavailable
from relay.turns import Turns
from tests.contract.at_once import GUARD_SECONDS, wait_for


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as threads:
        yield threads


class Taken:
    """Turns that a thread has taken, and comes back for once it is let go."""

    def __init__(self, pool: ThreadPoolExecutor, turns: Turns, come_back: Callable[[], None]) -> None:
        self._turns, self._come_back = turns, come_back
        self._started, self._go = Event(), Event()
        self.future: Future[None] = pool.submit(self._run)
        assert self._started.wait(GUARD_SECONDS)

    def _run(self) -> None:
        with self._turns:
            self._started.set()
            assert self._go.wait(GUARD_SECONDS)
        with self._turns:
            self._come_back()

    def let_go(self) -> None:
        self._go.set()


def test_who_comes_back_waits_behind_those_who_wait(pool: ThreadPoolExecutor) -> None:
    turns, came = Turns(GUARD_SECONDS, "contended"), list[str]()

    def come(name: str) -> None:
        with turns:
            came.append(name)

    taken = Taken(pool, turns, lambda: came.append("back"))
    futures: list[Future[None]] = [taken.future]
    for waiting, name in enumerate(["first", "second"], 1):
        futures.append(pool.submit(come, name))
        wait_for(turns, waiting)
    taken.let_go()
    for future in futures:
        future.result(GUARD_SECONDS)
    assert came == ["first", "second", "back"]


def test_who_waits_too_long_is_told_why_and_the_others_go_on(pool: ThreadPoolExecutor) -> None:
    turns, came = Turns(0.02, "contended"), list[str]()
    taken = Taken(pool, turns, lambda: came.append("back"))
    with pytest.raises(StoreUnavailable, match=r"^contended$"), turns:
        pytest.fail("two at a time")
    assert not turns._waiting
    taken.let_go()
    taken.future.result(GUARD_SECONDS)
    with turns:
        assert came == ["back"]


def test_who_fails_ends_its_turn() -> None:
    turns = Turns(GUARD_SECONDS, "contended")
    with pytest.raises(LookupError), turns:
        raise LookupError
    with turns:
        assert not turns._waiting
