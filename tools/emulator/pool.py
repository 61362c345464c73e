"""A function as Lambda runs it: one call at a time in each instance, and another instance where all are busy."""

import sys
from collections.abc import Callable, Mapping
from threading import BoundedSemaphore, Lock
from typing import Any

from tools.emulator.emulator import Emulator, EmulatorError


class FunctionPool:
    """Answers calls from any thread; `start` makes an instance. At most `most_instances` run; further calls wait."""

    def __init__(self, start: Callable[[], Emulator], most_instances: int) -> None:
        self._start = start
        self._turns = BoundedSemaphore(most_instances)
        self._lock = Lock()
        self._idle: list[Emulator] = []

    def __call__(self, event: Mapping[str, Any], _context: object = None) -> dict[str, Any]:
        """Return the function's response. Raises EmulatorError; the instance is not used again then."""
        with self._turns:
            with self._lock:
                instance = self._idle.pop() if self._idle else None
            instance = instance or self._start()
            try:
                response = instance.invoke(event)
            except EmulatorError:
                instance.close()
                sys.stdout.writelines(instance.lines)
                raise
            with self._lock:
                self._idle.append(instance)
            return response

    def close(self) -> None:
        """End all instances, when no call is under way; print what their function wrote."""
        while self._idle:
            instance = self._idle.pop()
            instance.close()
            sys.stdout.writelines(instance.lines)
