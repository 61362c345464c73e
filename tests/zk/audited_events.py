"""What the interpreter itself tells of: files opened for writing, commands, variables, addresses (PEP 578)."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Note = Callable[[str, object], None]
TOLD = frozenset(
    {"os.putenv", "os.system", "os.exec", "os.posix_spawn", "subprocess.Popen", "socket.sendto", "socket.connect"}
    | {
        "os.rename",
        "os.mkdir",
        "os.link",
        "os.symlink",
        "os.setxattr",
        "syslog.syslog",
        "urllib.Request",
        "ctypes.dlopen",
    }
)
"""Their arguments are kept as they are."""
NEVER_LOOKED_AT = ("/dev/null", "/dev/tty", "/dev/pts/", "/proc/", "/sys/")

_watching: list[Callable[[str, tuple[Any, ...]], None]] = []


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    for watch in _watching:
        watch(event, arguments)


@contextmanager
def audited(note: Note, directory: Path, clients: Path | None) -> Iterator[None]:
    """Tell of events by their names; and in the end of what is in each file that was opened for writing.

    Not of the databases in the directory: what lies there goes by way of statements. Nor of what clients keep.
    """
    written: set[str] = set()

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and _writes(arguments):
            written.add(os.fsdecode(arguments[0]))
        elif event in TOLD:
            note(f"event {event}", [_plain(one) for one in arguments])

    if not _installed:
        sys.addaudithook(_hook)  # for good: there is no way to take one away
        _installed.append(True)
    _watching.append(watch)
    try:
        yield
    finally:
        _watching.remove(watch)
        for path in sorted(written):
            if clients is None or clients not in Path(path).parents:
                _tell_file(note, Path(path), directory)


_installed: list[bool] = []


def _writes(arguments: tuple[Any, ...]) -> bool:
    path, mode, flags = arguments
    if not isinstance(path, (str, bytes)) or os.fsdecode(path).startswith(NEVER_LOOKED_AT):
        return False
    if mode is not None and any(letter in str(mode) for letter in "wax+"):
        return True
    return bool(isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR))


def _tell_file(note: Note, path: Path, directory: Path) -> None:
    note("file's name", str(path))
    if path.parent == directory and ".sqlite3" in path.name:
        return
    if path.is_file():
        note(f"file {path.suffix}", path.read_bytes())


def _plain(value: object) -> object:
    return value if isinstance(value, (str, bytes, int)) else repr(value)
