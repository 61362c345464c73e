"""Requests that are committed together: while one group waits for the disk, the next one gathers."""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Generic, TypeVar

from relay.ports import GroupCommit

T = TypeVar("T")


class Grouping(Generic[T]):
    """Runs calls, up to `max_calls` at a time, in a thread that commits them at once (group commit).

    What `GroupCommit.together` asks of a call holds for these. All methods are the event loop's.
    """

    def __init__(self, log: GroupCommit, max_calls: int) -> None:
        self._log = log
        self._max_calls = max_calls
        self._thread = ThreadPoolExecutor(1, "group-commit")
        self._waiting: deque[tuple[Callable[[], T], asyncio.Future[T]]] = deque()
        self._is_running = False

    async def run(self, call: Callable[[], T]) -> T:
        """Return what the call returned, once what it did is durable."""
        result: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((call, result))
        if not self._is_running:
            self._run_group()
        return await result

    def _run_group(self) -> None:
        """Hand those that wait to the thread."""
        group = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._max_calls))]
        self._is_running = bool(group)
        if group:
            calls = [call for call, _ in group]
            done = asyncio.get_running_loop().run_in_executor(self._thread, self._log.together, calls)
            done.add_done_callback(partial(self._answer, [result for _, result in group]))

    def _answer(self, results: list[asyncio.Future[T]], done: asyncio.Future[list[T]]) -> None:
        self._run_group()
        error = done.exception()
        for number, result in enumerate(results):
            if result.done():  # its client has gone
                continue
            if error is None:
                result.set_result(done.result()[number])
            else:
                result.set_exception(error)
