"""The same question by search, for any kind of object (Wing and Gong 1993): slow, short, and hard to get wrong.

It takes each operation that may have been first, asks a model of one vault what it would answer, and goes on with the
rest.
"""

from hashlib import sha256

from tests.history.operations import HeadMoved, History, Logged, Operation, Page, Place, Pull, Push, Receipt, Receipts

Log = tuple[str, ...]
"""The ids that were stored, in order: all of a vault's state."""


def chain_of(log: Log) -> str:
    """Return what stands for the chain of these."""
    return sha256(repr(log).encode()).hexdigest()[:8]


def place(log: Log) -> Place:
    return Place(len(log), chain_of(log))


def logged(log: Log) -> tuple[Logged, ...]:
    return tuple(Logged(seq, one, chain_of(log[:seq])) for seq, one in enumerate(log, 1))


def answer(log: Log, request: Push | Pull) -> tuple[Log, Receipts | HeadMoved | Page]:
    """Do a request; return the log after it, and the answer."""
    if isinstance(request, Pull):
        return log, Page(logged(log)[request.since : request.since + request.limit], place(log))
    fresh = tuple(one for one in request.ids if one not in log)
    if fresh and request.if_match not in {None, chain_of(log)}:
        return log, HeadMoved(place(log))
    after = log + fresh
    there = {entry.id: entry for entry in logged(after)}
    return after, Receipts(place(after), tuple(Receipt(there[one], one in fresh) for one in request.ids))


def is_linearizable(history: History) -> bool:
    """Whether there is an order that explains all answers and ends with this log."""
    final = tuple(entry.id for entry in history.log)
    if tuple(history.log) != logged(final):
        return False
    tried: set[tuple[frozenset[int], Log]] = set()

    def search(left: frozenset[int], log: Log) -> bool:
        if (left, log) in tried:
            return False
        tried.add((left, log))
        operations = history.operations
        if log == final and all(operations[one].answer is None for one in left):
            return True
        ends = min((operations[one].returned for one in left), default=0.0)
        return any(
            search(left - {one}, after)
            for one in left
            if operations[one].invoked <= ends
            for after in _after(operations[one], log)
        )

    return search(frozenset(range(len(history.operations))), ())


def _after(operation: Operation, log: Log) -> list[Log]:
    """Return the log after an operation, if it would have been answered so."""
    after, told = answer(log, operation.request)
    given = operation.answer
    if isinstance(told, Page) and isinstance(given, Page) and given.changesets:
        told = Page(told.changesets[: len(given.changesets)], told.head)  # a page may end early
    return [after] if given in {None, told} else []
