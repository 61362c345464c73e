"""What the C library's allocator keeps for later: little, so that a burst does not stay in the server's memory.

glibc gives threads arenas of their own, and keeps what was freed in each; with sixteen threads that write pages of half
a megabyte it comes to three times of what is in use.
"""

import ctypes

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # <malloc.h>
ARENAS = 2
KEPT_BYTES = 8 * 1024 * 1024
"""What is larger is given back as soon as it is freed, and so is what is free above this at an arena's end.

With 1 MiB a push of that size costs a fifth more: its memory comes from the system, zeroed, page by page, each time.
"""


def keep_little() -> bool:
    """Tell the allocator, once, before threads begin; return whether it is one that takes it (mallopt(3), glibc's)."""
    tell = getattr(ctypes.CDLL(None), "mallopt", None)
    if tell is None:
        return False
    wanted = ((_M_ARENA_MAX, ARENAS), (_M_MMAP_THRESHOLD, KEPT_BYTES), (_M_TRIM_THRESHOLD, KEPT_BYTES))
    return all(tell(option, value) for option, value in wanted)
