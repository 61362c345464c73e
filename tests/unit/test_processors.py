"""The server's threads stay on one processor, but those that are set free."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from local.processors import keep_to_one

pytestmark = pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="Linux alone can be told")


def processors() -> set[int]:
    return os.sched_getaffinity(0)


def begin_server() -> tuple[set[int], set[int], set[int]]:
    """Return the processors of a thread that keeps to one, of one that it starts, and of one that is set free."""
    set_free = keep_to_one()
    with ThreadPoolExecutor(1) as kept, ThreadPoolExecutor(1, initializer=set_free) as free:
        return processors(), kept.submit(processors).result(), free.submit(processors).result()


def test_threads_stay_on_one_processor_and_who_is_set_free_has_all() -> None:
    allowed = processors()
    with ThreadPoolExecutor(1) as thread:
        own, started, set_free = thread.submit(begin_server).result()
    assert len(own) == 1
    assert own <= allowed
    assert (started, set_free) == (own, allowed)
    assert processors() == allowed


def test_where_it_is_forbidden_all_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(_: int, __: set[int]) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "sched_setaffinity", forbidden)
    allowed = processors()
    keep_to_one()()
    assert processors() == allowed


def test_where_it_cannot_be_told_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_setaffinity")
    allowed = processors()
    keep_to_one()()
    assert processors() == allowed
