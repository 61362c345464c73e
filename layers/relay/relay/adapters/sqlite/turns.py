"""Turns: the transactions on a file with a rollback journal, one at a time, in order of arrival."""

from collections import deque
from threading import Lock
from types import TracebackType

from relay.adapters.sqlite.transaction import LOCKED
from relay.ports import StoreUnavailable


class Turns:
    """Lets one thread in at a time, in the order in which they came: `with turns: …`.

    With a rollback journal SQLite keeps reads and commits apart by locks on the file, and who finds it locked looks
    again after a while, up to 100 ms. Between the commits of a process that writes all the time it would hardly ever
    find it free.
    """

    def __init__(self, timeout_seconds: float) -> None:
        self._timeout_seconds = timeout_seconds
        self._mutex = Lock()  # of the two below
        self._is_taken = False
        self._waiting: deque[Lock] = deque()

    def __enter__(self) -> None:
        with self._mutex:
            if not self._is_taken:
                self._is_taken = True
                return
            turn = Lock()
            turn.acquire()
            self._waiting.append(turn)
        if turn.acquire(timeout=self._timeout_seconds):
            return
        with self._mutex:
            if turn in self._waiting:  # else it has just come
                self._waiting.remove(turn)
                raise StoreUnavailable(LOCKED)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._is_taken = False
