"""Is a history of one vault's log linearizable: as if each request had been answered in one moment while it was open?

In general that takes a search (Wing and Gong 1993, Lowe 2017, Porcupine). Here the answers tell seqs, and a log only
grows: so the order of all writes stands in the log, and each read tells the head that it saw. What is left to find are
moments, in this order, each within its request's. To take the earliest that is possible is as good as any other choice,
so one pass does it. `test_checker` holds this against the search, on small histories.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import inf

from tests.history.operations import HeadMoved, History, Logged, Operation, Page, Place, Push, Receipts


class NotLinearizable(Exception):
    """The history can't be explained; `args[0]` begins with the kind of violation."""


def check(history: History) -> None:
    """Return if the history is linearizable, else raise NotLinearizable."""
    _check_log(history)
    writes: dict[int, _Write] = {}
    reads: dict[int, list[Operation]] = {}
    unknown: list[Operation] = []
    for operation in history.operations:
        seen = _seen(history, operation)
        if seen is None:
            unknown.append(operation)
        elif isinstance(seen, _Write):
            if seen.first in writes:
                raise NotLinearizable(f"doubled: {operation} and {writes[seen.first].by} both created {seen.first}")
            writes[seen.first] = seen
        else:
            reads.setdefault(seen, []).append(operation)
    _find_moments(list(_in_order(history, writes, unknown)), reads)


@dataclass(frozen=True, slots=True)
class _Write:
    """A step of the log: it made the changesets from `first` to `last`."""

    first: int
    last: int
    by: Operation


# ---------------------------------------------------------------- what each answer says, whatever the time


def _check_log(history: History) -> None:
    pushes = [one.request for one in history.operations if isinstance(one.request, Push)]
    pushed = {changeset_id for push in pushes for changeset_id in push.ids}
    if [entry.seq for entry in history.log] != list(range(1, len(history.log) + 1)):
        raise NotLinearizable("gap: the log's seqs are not 1, 2, 3, …")
    if len({entry.id for entry in history.log}) < len(history.log):
        raise NotLinearizable("doubled: a changeset is in the log twice")
    if strange := [entry.seq for entry in history.log if entry.id not in pushed]:
        raise NotLinearizable(f"from nowhere: nobody pushed {strange}")


def _seen(history: History, operation: Operation) -> _Write | int | None:
    """Return what an operation wrote, or the seq of the head that it saw; None if nothing is known of it."""
    answer = operation.answer
    if answer is None:
        return None
    told = [receipt.at for receipt in answer.receipts] if isinstance(answer, Receipts) else []
    for changeset in answer.changesets if isinstance(answer, Page) else told:
        _check_logged(history, operation, changeset)
    _check_place(history, operation, answer.head)
    if isinstance(answer, Receipts):
        return _written(history, operation, answer)
    if isinstance(answer, HeadMoved):
        assert isinstance(operation.request, Push)
        stored = {entry.id for entry in history.log[: answer.head.seq]}
        if operation.request.if_match in {None, answer.head.chain} or stored.issuperset(operation.request.ids):
            raise NotLinearizable(f"refused: {operation} though the head was the one it asked for, or did not matter")
    else:
        _check_page(operation, answer)
    return answer.head.seq


def _check_place(history: History, operation: Operation, place: Place) -> None:
    chain = history.chain_at(place.seq)
    if chain is None:
        raise NotLinearizable(f"lost: {operation} was told of the head {place.seq}, which the log has not reached")
    if chain != place.chain:
        raise NotLinearizable(f"two histories: {operation} was told another chain at {place.seq}")


def _check_logged(history: History, operation: Operation, told: Logged) -> None:
    there = history.log[told.seq - 1] if 1 <= told.seq <= len(history.log) else None
    if there == told:
        return
    is_known = any(entry.id == told.id for entry in history.log)
    kind = "two histories" if there and there.id == told.id else "reordered" if is_known else "lost"
    raise NotLinearizable(f"{kind}: {operation} was told of a changeset at {told.seq} that is not there")


def _check_page(operation: Operation, page: Page) -> None:
    request = operation.request
    assert not isinstance(request, Push)
    found = [changeset.seq for changeset in page.changesets]
    if found != list(range(request.since + 1, request.since + 1 + len(found))):
        raise NotLinearizable(f"gap: {operation} got {found}")
    room = min(request.limit, page.head.seq - request.since)
    if not min(1, room) <= len(found) <= room:
        raise NotLinearizable(f"gap: {operation} got {found} of a log that ended at {page.head.seq}")


def _written(history: History, operation: Operation, answer: Receipts) -> _Write | int:
    request = operation.request
    assert isinstance(request, Push)
    if tuple(receipt.at.id for receipt in answer.receipts) != request.ids:
        raise NotLinearizable(f"reordered: {operation} got receipts of other changesets than it pushed")
    created = [receipt.at.seq for receipt in answer.receipts if receipt.created]
    before = answer.head.seq - len(created)
    if created != list(range(before + 1, answer.head.seq + 1)):
        raise NotLinearizable(f"torn: {operation} created {created} and left the head at {answer.head.seq}")
    if any(receipt.at.seq > before for receipt in answer.receipts if not receipt.created):
        raise NotLinearizable(f"reordered: {operation} was told of a duplicate that came after it")
    if not created:
        return answer.head.seq
    if request.if_match not in {None, history.chain_at(before)}:
        raise NotLinearizable(f"If-Match: {operation} was stored after another head than it asked for")
    return _Write(before + 1, answer.head.seq, operation)


# ---------------------------------------------------------------- the order


def _in_order(history: History, writes: dict[int, _Write], unknown: list[Operation]) -> Iterator[_Write]:
    """Yield all writes in the log's order. What no answer tells of was done by a request that has no answer."""
    left = sorted((one for one in unknown if isinstance(one.request, Push)), key=lambda one: one.invoked)
    seq = 1
    while seq <= len(history.log):
        write = writes.get(seq) or _write_of_unknown(history, seq, left)
        if any(first in writes for first in range(seq + 1, write.last + 1)):
            raise NotLinearizable(f"torn: {write.by} was stored with another between its changesets")
        yield write
        seq = write.last + 1


def _write_of_unknown(history: History, seq: int, left: list[Operation]) -> _Write:
    """Of several that may have done it, all repetitions of one push, the first can have done it at most times."""
    stored = {entry.id for entry in history.log[: seq - 1]}
    for operation in left:
        assert isinstance(operation.request, Push)
        fresh = [one for one in operation.request.ids if one not in stored]
        last = seq - 1 + len(fresh)
        is_there = [entry.id for entry in history.log[seq - 1 : last]] == fresh and bool(fresh)
        if is_there and operation.request.if_match in {None, history.chain_at(seq - 1)}:
            left.remove(operation)
            return _Write(seq, last, operation)
    raise NotLinearizable(f"torn: no request explains how {seq} came into the log, alone or as the first of a batch")


# ---------------------------------------------------------------- the moments


@dataclass(slots=True)
class _Timeline:
    """The earliest moment that the next step of the log may have, and who is to blame that it is not earlier."""

    moment: float = -inf
    because_of: Operation | None = None
    reads_until: float = field(default=-inf)
    reader: Operation | None = None

    def write(self, write: _Write) -> None:
        if self.reads_until > self.moment:
            self.moment, self.because_of = self.reads_until, self.reader
        self._fit(write.by)
        if write.by.invoked > self.moment:
            self.moment, self.because_of = write.by.invoked, write.by

    def read(self, operation: Operation) -> None:
        self._fit(operation)
        if operation.invoked > self.reads_until:
            self.reads_until, self.reader = operation.invoked, operation

    def _fit(self, operation: Operation) -> None:
        if operation.returned >= self.moment:
            return
        assert self.because_of is not None
        is_read = self.because_of is self.reader
        kind = "stale read" if is_read else "reordered"
        raise NotLinearizable(
            f"{kind}: {self.because_of} began after {operation} was answered at {operation.returned}, "
            "and yet stands before it"
        )


def _find_moments(writes: list[_Write], reads: dict[int, list[Operation]]) -> None:
    timeline, is_head = _Timeline(), {0, *(write.last for write in writes)}
    if torn := sorted(reads.keys() - is_head):
        raise NotLinearizable(f"torn: {reads[torn[0]][0]} saw the head {torn[0]}, within a batch")
    for head, write in [(0, None), *((write.last, write) for write in writes)]:
        if write is not None:
            timeline.write(write)
        for operation in reads.get(head, ()):
            timeline.read(operation)
