"""How much memory something takes."""

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def at_most(peak_bytes: int | None) -> Iterator[None]:
    """See that no more is allocated meanwhile, by anybody in this process; None does not look."""
    if peak_bytes is None:
        yield
        return
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak <= peak_bytes
