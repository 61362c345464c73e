"""The checker of histories finds what a relay may do wrong, and nothing in what it may do."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.history.checker import NotLinearizable, check
from tests.history.operations import History, Operation, Page, Pull, Push, Receipts
from tests.history.search import Log, answer, chain_of, is_linearizable, logged, place

Step = tuple[float, float, Push | Pull]


def history_of(*steps: Step, lost: Sequence[int] = ()) -> History:
    """The history of these requests, done in this order. Answers that are lost are not told."""
    log: Log = ()
    operations = []
    for client, (invoked, returned, request) in enumerate(steps):
        log, told = answer(log, request)
        operation = Operation(client, invoked, request)
        operations.append(operation if client in lost else replace(operation, answer=told, returned=returned))
    return History(operations, logged(log), chain_of(()))


def edited(history: History, number: int, **changes: object) -> History:
    operations = list(history.operations)
    operations[number] = replace(operations[number], **changes)  # type: ignore[arg-type] # a test names the fields
    return replace(history, operations=operations)


A, B, BATCH = Push(("a",)), Push(("b",)), Push(("c", "d"))
ALL = Pull(0, 9)
PLAIN = history_of((0, 1, A), (2, 3, B), (4, 5, ALL), (6, 7, A), (8, 9, BATCH), (10, 11, ALL))


GOOD: dict[str, History] = {
    "nothing happened": history_of(),
    "one after another": PLAIN,
    "all at once": history_of((0, 9, BATCH), (0, 9, A), (0, 9, ALL), (0, 9, B)),
    "a read that began before a push was answered and saw it": history_of((0, 5, A), (3, 4, ALL)),
    "a read that began first and saw nothing": history_of((0, 5, ALL), (1, 4, A)),
    "an answer that was lost, and the request repeated": history_of((0, 1, A), (2, 3, A), (4, 5, ALL), lost=[0]),
    "an answer that was lost, and the work seen by others": history_of((0, 1, A), (2, 3, ALL), lost=[0]),
    "a request that was lost on its way": History([Operation(0, 0, A)], (), chain_of(())),
    "a head that was the one asked for": history_of((0, 1, A), (2, 3, Push(("b",), chain_of(("a",))))),
    "a head that had moved": history_of((0, 1, A), (2, 3, B), (4, 5, Push(("c",), chain_of(("a",))))),
    "a duplicate, whatever the head": history_of((0, 1, A), (2, 3, B), (4, 5, Push(("a",), "stale"))),
}


def page(log: Log, since: int = 0) -> Page:
    return Page(logged(log)[since:], place(log))


def receipts(log: Log, request: Push) -> Receipts:
    told = answer(log, request)[1]
    assert isinstance(told, Receipts)
    return told


BAD: dict[str, tuple[str, History]] = {
    "an acknowledged changeset is not in the log": (
        "lost",
        replace(history_of((0, 1, A), (2, 3, B)), log=logged(("a",))),
    ),
    "another stands in its place": ("lost", replace(history_of((0, 1, A), (2, 3, B)), log=logged(("b",)))),
    "two exchanged their places": ("reordered", replace(history_of((0, 1, A), (2, 3, B)), log=logged(("b", "a")))),
    "one is there twice": ("doubled", replace(history_of((0, 1, A)), log=logged(("a", "a")))),
    "two were told that they created it": (
        "doubled",
        edited(history_of((0, 1, A), (2, 3, A)), 1, answer=receipts((), A)),
    ),
    "nobody pushed it": ("from nowhere", replace(history_of((0, 1, A)), log=logged(("a", "x")))),
    "a seq is missing": (
        "gap",
        replace(history_of((0, 1, A)), log=(*logged(("a",)), replace(logged(("a",))[0], seq=3, id="b"))),
    ),
    "a page leaves one out": (
        "gap",
        edited(PLAIN, 5, answer=Page((PLAIN.log[0], PLAIN.log[2]), place(("a", "b", "c", "d")))),
    ),
    "a page is empty though there is more": ("gap", edited(PLAIN, 5, answer=Page((), place(("a", "b", "c", "d"))))),
    "a page holds more than the head": ("gap", edited(PLAIN, 5, answer=Page(tuple(PLAIN.log), place(("a", "b"))))),
    "a read missed what was acknowledged before it began": ("stale read", edited(PLAIN, 2, answer=page(("a",)))),
    "a read saw less than one before it": (
        "stale read",
        History(
            [Operation(0, 0, A), Operation(1, 1, ALL, page(("a",)), 2), Operation(2, 3, ALL, page(()), 4)],
            logged(("a",)),
            chain_of(()),
        ),
    ),
    "a read saw what was not yet sent": ("reordered", edited(PLAIN, 2, answer=page(("a", "b", "c", "d")))),
    "a later push was stored before an earlier one": ("reordered", history_of((4, 5, A), (0, 1, B))),
    "a read saw half of a batch": (
        "torn",
        History(
            [*history_of((0, 9, BATCH)).operations, Operation(1, 0, ALL, page(("c",)), 9)],
            logged(("c", "d")),
            chain_of(()),
        ),
    ),
    "half of a lost batch was stored": ("torn", History([Operation(0, 0, BATCH)], logged(("c",)), chain_of(()))),
    "a lost batch was stored the wrong way round": (
        "torn",
        History([Operation(0, 0, BATCH)], logged(("d", "c")), chain_of(())),
    ),
    "a push was stored after another head than it asked for": (
        "If-Match",
        edited(history_of((0, 1, A), (2, 3, B)), 1, request=Push(("b",), "stale")),
    ),
    "a push was refused though the head was right": (
        "refused",
        edited(history_of((0, 1, A), (2, 3, Push(("b",), "x"))), 1, request=Push(("b",), chain_of(("a",)))),
    ),
    "two clients were shown two histories": (
        "two histories",
        edited(PLAIN, 5, answer=Page((), replace(place(("a", "b", "c", "d")), chain="another"))),
    ),
    "an answer told of more than the log has": ("lost", replace(PLAIN, operations=PLAIN.operations[5:], log=())),
}


@pytest.mark.parametrize("name", GOOD)
def test_what_may_happen_is_accepted(name: str) -> None:
    check(GOOD[name])
    assert is_linearizable(GOOD[name])


@pytest.mark.parametrize("name", BAD)
def test_what_may_not_happen_is_found_and_named(name: str) -> None:
    kind, history = BAD[name]
    with pytest.raises(NotLinearizable, match=f"^{kind}"):
        check(history)
    assert not is_linearizable(history)


# ---------------------------------------------------------------- against the search


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Some requests, one after another or open at once, some answers lost, and now and then something wrong."""
    log: Log = ()
    operations: list[Operation] = []
    for number in range(draw(st.integers(1, 6))):
        request = _request(draw, log, [one.request for one in operations], number)
        after, told = answer(log, request)
        moment, fate = number * 10, draw(st.sampled_from(["told", "told", "told", "answer lost", "request lost"]))
        invoked = moment - draw(st.integers(0, 30))
        operation = Operation(number, invoked, request)
        if fate == "told":
            operation = replace(operation, answer=told, returned=moment + draw(st.integers(0, 30)))
        operations.append(operation)
        log = log if fate == "request lost" else after
    history = History(operations, logged(log), chain_of(()))
    return draw(st.sampled_from(WRONGS))(draw, history)


def _request(draw: st.DrawFn, log: Log, before: list[Push | Pull], number: int) -> Push | Pull:
    pushes = [one for one in before if isinstance(one, Push)]
    kind = draw(st.sampled_from(["push", "push", "batch", "again", "pull", "pull"]))
    if kind == "pull":
        return Pull(draw(st.integers(0, len(log))), draw(st.integers(1, 3)))
    if kind == "again" and pushes:
        return draw(st.sampled_from(pushes))
    ids = (f"{number}", f"{number}+")[: 1 + (kind == "batch")]
    return Push(ids, draw(st.sampled_from([None, None, chain_of(log), chain_of(log[:-1])])))


Wrong = Callable[[st.DrawFn, History], History]


def _right(_: st.DrawFn, history: History) -> History:
    return history


def _at_another_time(draw: st.DrawFn, history: History) -> History:
    number = draw(st.integers(0, len(history.operations) - 1))
    operation, by = history.operations[number], draw(st.integers(-40, 40))
    return edited(history, number, invoked=operation.invoked + by, returned=operation.returned + by)


def _another_answer(draw: st.DrawFn, history: History) -> History:
    number = draw(st.integers(0, len(history.operations) - 1))
    operation = history.operations[number]
    ids = tuple(entry.id for entry in history.log)
    log = ids[: draw(st.integers(0, len(ids)))]
    is_past_it = isinstance(operation.request, Pull) and operation.request.since > len(log)
    if operation.answer is None or is_past_it:
        return history
    return edited(history, number, answer=answer(log, operation.request)[1])


def _another_log(draw: st.DrawFn, history: History) -> History:
    ids = draw(st.permutations([entry.id for entry in history.log]))
    return replace(history, log=logged(tuple(ids[: draw(st.integers(0, len(ids)))])))


WRONGS: Sequence[Wrong] = (_right, _at_another_time, _at_another_time, _another_answer, _another_log)


def accepts(history: History) -> bool:
    try:
        check(history)
    except NotLinearizable:
        return False
    return True


@settings(max_examples=1500, derandomize=True, database=None, deadline=None)
@given(histories())
def test_one_pass_says_what_the_search_says(history: History) -> None:
    assert accepts(history) == is_linearizable(history)
