"""Turns are taken in order of arrival, by who comes back too; who waits too long is told, and the others go on."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from relay.ports import StoreUnavailable
from relay.turns import Turns
from tests.contract.at_once import GUARD_SECONDS, Held, Transaction, wait_for


def coming_back(turns: Turns, came: list[str]) -> Transaction:
    """Return what does a work in its turn, and then comes back for another."""

    def transaction(work: Callable[[Any], Any]) -> None:
        with turns:
            work(None)
        with turns:
            came.append("back")

    return transaction


def test_who_comes_back_waits_behind_those_who_wait(pool: ThreadPoolExecutor) -> None:
    turns, came = Turns(GUARD_SECONDS, "contended"), list[str]()

    def come(name: str) -> None:
        with turns:
            came.append(name)

    held = Held(pool, coming_back(turns, came))
    futures: list[Future[None]] = [held.future]
    for waiting, name in enumerate(["first", "second"], 1):
        futures.append(pool.submit(come, name))
        wait_for(turns, waiting)
    held.let_go()
    for future in futures:
        future.result(GUARD_SECONDS)
    assert came == ["first", "second", "back"]


def test_who_waits_too_long_is_told_why_and_the_others_go_on(pool: ThreadPoolExecutor) -> None:
    turns, came = Turns(0.02, "contended"), list[str]()
    held = Held(pool, coming_back(turns, came))
    with pytest.raises(StoreUnavailable, match=r"^contended$"), turns:
        pytest.fail("two at a time")
    assert not turns._waiting
    held.let_go()
    held.future.result(GUARD_SECONDS)
    with turns:
        assert came == ["back"]


def test_who_fails_ends_its_turn() -> None:
    turns = Turns(GUARD_SECONDS, "contended")
    with pytest.raises(LookupError), turns:
        raise LookupError
    with turns:
        assert not turns._waiting
