"""The system calls that SQLite makes in this process, for tests that let one fail, or die at one.

SQLite's own seam for that: `xSetSystemCall` of its Unix VFS (https://www.sqlite.org/c3ref/vfs.html). Forcing data to
the disk is not among them.
"""

import _sqlite3
import ctypes
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.backends import give_up

Hook = Callable[[str], int | None]
"""Is given the name of a call that is about to be made; returns the errno that it fails with, or None to let it be."""

WRITES = ("pwrite", "pwrite64", "write", "ftruncate", "unlink")
"""Those that change a file, but for `open`, which may make one."""
_RESULTS = {
    **dict.fromkeys(("open", "fcntl", "fstat", "stat", "access", "ftruncate", "unlink"), ctypes.c_int),
    **dict.fromkeys(("read", "pread", "pread64", "write", "pwrite", "pwrite64"), ctypes.c_ssize_t),
}
_POINTERS = (
    *("next", "name", "app_data", "open", "delete", "access", "full_path_name", "dl_open", "dl_error", "dl_sym"),
    *("dl_close", "randomness", "sleep", "current_time", "last_error", "current_time_int64", "set_call", "get_call"),
)


class _Vfs(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int) for name in ("version", "file_size", "max_path_name")),
        *((name, ctypes.c_void_p) for name in _POINTERS),
    ]


_SET = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
_GET = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p)


@contextmanager
def system_calls(hook: Hook) -> Iterator[None]:
    """Ask `hook` before each call."""
    vfs = _find_vfs()
    set_call = _SET(vfs.contents.set_call)
    replaced = []  # referred to as long as SQLite may call them
    try:
        for name, result in _RESULTS.items():
            original = _GET(vfs.contents.get_call)(vfs, name.encode())
            if original is not None:
                replaced.append(_replacement(name, original, result, hook))
                set_call(vfs, name.encode(), ctypes.cast(replaced[-1], ctypes.c_void_p))
        yield
    finally:
        set_call(vfs, None, None)


def _replacement(name: str, original: int, result: type, hook: Hook) -> Any:
    """Four integers, as the registers pass them, do for each of these calls."""
    prototype = ctypes.CFUNCTYPE(result, *[ctypes.c_ssize_t] * 4, use_errno=True)
    call = prototype(original)

    def replacement(*arguments: int) -> int:
        error = hook(name)
        if error is None:
            done: int = call(*arguments)
            return done
        ctypes.set_errno(error)
        return -1

    return prototype(replacement)


def _find_vfs() -> "ctypes._Pointer[_Vfs]":
    """Find it in the library that this Python uses. Elsewhere than on Linux, variadic calls differ from others."""
    try:
        find = ctypes.CDLL(_sqlite3.__file__).sqlite3_vfs_find if sys.platform == "linux" else None
    except (AttributeError, OSError):  # it is a part of the interpreter
        find = None
    if find is None:
        give_up(f"this Python's SQLite {sqlite3.sqlite_version} can't be reached")
    find.restype = ctypes.POINTER(_Vfs)
    found: ctypes._Pointer[_Vfs] = find(None)
    return found
