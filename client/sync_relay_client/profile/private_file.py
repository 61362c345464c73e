"""Files that their owner alone can read, written aside first: nobody ever sees half of one."""

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from sync_relay_client.errors import ProfileMissing, ProfileUnsafe

_OPEN_TO_OTHERS = 0o077
_WRITABLE_BY_OTHERS = 0o022


@contextmanager
def replaced(path: Path) -> Iterator[BinaryIO]:
    """Write a file that takes the place of what is there, if anything, once the whole of it is on the disk."""
    with _aside(path) as aside:
        with _written(aside) as file:
            yield file
        aside.replace(path)


def create_once(path: Path, content: bytes) -> bool:
    """Make a file whole; False if another process was first, whose file then stays."""
    with _aside(path) as aside:
        with _written(aside) as file:
            file.write(content)
        try:
            os.link(aside, path)
        except FileExistsError:
            return False
    sync_folder(path.parent)
    return True


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive the loss of power."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def check_private(path: Path) -> None:
    """Raise ProfileUnsafe unless this user owns the file or folder and no other can read or write it.

    Raises ProfileMissing where there is none. On Windows the user's own folder is private, modes say nothing there.
    """
    try:
        check_status(path.name, path.stat())
    except FileNotFoundError:
        raise ProfileMissing(f"there is no {path.name}") from None


def check_status(name: str, found: os.stat_result) -> None:
    """Raise ProfileUnsafe, like `check_private`, by what was found of an open file."""
    if os.name == "nt":
        return
    _check_owner(name, found)
    if found.st_mode & _OPEN_TO_OTHERS:
        mode = "0700" if stat.S_ISDIR(found.st_mode) else "0600"
        raise ProfileUnsafe(f"{name} is open to other users: its mode must be {mode}")


def check_folder(path: Path) -> None:
    """Raise ProfileUnsafe if others can put files into a folder or take them out: they could swap the profile's own."""
    found = path.stat()
    if os.name == "nt":
        return
    _check_owner(path.name, found)
    if found.st_mode & _WRITABLE_BY_OTHERS:
        raise ProfileUnsafe(f"{path.name} can be written by other users: its mode must be 0700")


def _check_owner(name: str, found: os.stat_result) -> None:
    if found.st_uid != os.geteuid():
        raise ProfileUnsafe(f"{name} belongs to another user")


@contextmanager
def _aside(path: Path) -> Iterator[Path]:
    aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        aside.touch(mode=0o600, exist_ok=False)
        yield aside
    finally:
        aside.unlink(missing_ok=True)


@contextmanager
def _written(path: Path) -> Iterator[BinaryIO]:
    with path.open("r+b") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
