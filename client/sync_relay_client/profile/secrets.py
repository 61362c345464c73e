"""The profile's key: 32 random bytes in a file that its owner alone can read, or in the keyring of the system."""

import os
import secrets
import stat
from pathlib import Path
from typing import Literal

from sync_relay_client.errors import ProfileBroken, ProfileError, ProfileMissing, ProfileUnsafe
from sync_relay_client.profile.os_keyring import find_secret, forget_secret, keep_secret

KeyringChoice = Literal["auto", "file", "keyring"]
"""Where a new key goes: `auto` is the keyring where there is a real one, else the file."""

KEY_FILE = "profile.key"
KEY_BYTES = 32

_POINTER = b"keyring:"
_MAX_FILE_BYTES = 64
_OPEN_TO_OTHERS = 0o077
_WRITABLE_BY_OTHERS = 0o022


def load_or_create_profile_key(folder: Path, keyring: KeyringChoice = "auto") -> bytes:
    """Return the profile's key, which is made first if there is none; a key that is there stays where it is.

    Processes that start at once get the same key. Raises ProfileUnsafe, ProfileBroken, or ProfileError where the
    keyring is chosen, or holds the key, and can't be used.
    """
    path = folder / KEY_FILE
    try:
        if not path.exists():
            _create(path, keyring)
        content = _read(path)
    except OSError as error:
        raise ProfileBroken(f"{KEY_FILE} can't be read or made: {error.strerror}") from error
    key = content
    if content.startswith(_POINTER):
        key = find_secret(content.removeprefix(_POINTER).decode("ascii", "replace"))
    if len(key) != KEY_BYTES:
        raise ProfileBroken(f"the profile's key has not {KEY_BYTES} bytes")
    return key


def check_private(path: Path) -> None:
    """Raise ProfileUnsafe unless this user owns the file or folder and no other can read or write it.

    Raises ProfileMissing where there is none. On Windows the user's own folder is private, modes say nothing there.
    """
    try:
        _check_private(path.name, path.stat())
    except FileNotFoundError:
        raise ProfileMissing(f"there is no {path.name}") from None


def check_folder(path: Path) -> None:
    """Raise ProfileUnsafe if others can put files into a folder or take them out: they could swap the profile's own."""
    found = path.stat()
    if os.name == "nt":
        return
    if found.st_uid != os.geteuid():
        raise ProfileUnsafe(f"{path.name} belongs to another user")
    if found.st_mode & _WRITABLE_BY_OTHERS:
        raise ProfileUnsafe(f"{path.name} can be written by other users: its mode must be 0700")


def _check_private(name: str, found: os.stat_result) -> None:
    if os.name == "nt":
        return
    if found.st_uid != os.geteuid():
        raise ProfileUnsafe(f"{name} belongs to another user")
    if found.st_mode & _OPEN_TO_OTHERS:
        mode = "0700" if stat.S_ISDIR(found.st_mode) else "0600"
        raise ProfileUnsafe(f"{name} is open to other users: its mode must be {mode}")


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        _check_private(path.name, os.fstat(file.fileno()))
        return file.read(_MAX_FILE_BYTES)


def _create(path: Path, keyring: KeyringChoice) -> None:
    key = secrets.token_bytes(KEY_BYTES)
    name = None if keyring == "file" else keep_secret(key)
    if name is None and keyring == "keyring":
        raise ProfileError("there is no OS keyring that can be used: choose the file, or install the extra `keyring`")
    if not _link(path, key if name is None else _POINTER + name.encode()) and name is not None:
        forget_secret(name)


def _link(path: Path, content: bytes) -> bool:
    """Write a file aside, then link it into place: nobody sees half of it. False if another process was first."""
    aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    aside.touch(mode=0o600, exist_ok=False)
    try:
        with aside.open("r+b") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(aside, path)
    except FileExistsError:
        return False
    finally:
        aside.unlink()
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
