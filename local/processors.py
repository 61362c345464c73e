"""Which processors the server's threads run on.

Threads of one interpreter take turns at its lock. On two processors each turn begins with what the other has in its
cache (ADR 0021). What lets go of the lock for long, to hash or to write, is set free: it may run on all.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from functools import partial


def keep_to_one() -> Callable[[], None]:
    """Keep this thread, and those it will start, to one processor; return what sets a thread free.

    Only Linux can be told so. Which one it is differs from process to process.
    """
    if not hasattr(os, "sched_setaffinity"):
        return lambda: None
    allowed = os.sched_getaffinity(0)
    _move_to({sorted(allowed)[os.getpid() % len(allowed)]})
    return partial(_move_to, allowed)


def _move_to(processors: set[int]) -> None:
    with suppress(OSError):  # taken away meanwhile, or forbidden: then it stays as it is
        os.sched_setaffinity(0, processors)
