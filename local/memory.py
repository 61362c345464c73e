"""What the C library's allocator keeps for later: little, so that a burst does not stay in the server's memory.

glibc gives threads arenas of their own, and keeps what was freed in each; with sixteen threads that write pages of half
a megabyte it comes to three times of what is in use.
"""

import ctypes

_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8  # <malloc.h>
ARENAS = 2
LARGE_BYTES = 1024 * 1024
"""What is so large is given back as soon as it is freed."""


def keep_little() -> bool:
    """Tell the allocator, once, before threads begin; return whether it is one that takes it (mallopt(3), glibc's)."""
    tell = getattr(ctypes.CDLL(None), "mallopt", None)
    if tell is None:
        return False
    return bool(tell(_M_ARENA_MAX, ARENAS)) and bool(tell(_M_MMAP_THRESHOLD, LARGE_BYTES))
