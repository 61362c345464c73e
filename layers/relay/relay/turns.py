"""Turns: of threads that would be in each other's way, one at a time, in order of arrival."""

from collections import deque
from threading import Lock
from types import TracebackType

from relay.ports import StoreUnavailable


class Turns:
    """Lets one thread in at a time, in the order in which they came: `with turns: …`.

    A lock lets in whoever asks just when it is free, mostly the thread that has just left: under load another one
    may wait for ever. Raises StoreUnavailable with the reason given for one who waited too long.
    """

    def __init__(self, timeout_seconds: float, reason: str) -> None:
        self._timeout_seconds = timeout_seconds
        self._reason = reason
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
                raise StoreUnavailable(self._reason)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._is_taken = False
