"""The profile's key: 32 random bytes in a file that its owner alone can read, or in the keyring of the system."""

import os
import secrets
from pathlib import Path
from typing import Literal

from sync_relay_client.errors import ProfileBroken, ProfileError
from sync_relay_client.profile.os_keyring import find_secret, forget_secret, keep_secret
from sync_relay_client.profile.private_file import check_status, create_once

KeyringChoice = Literal["auto", "file", "keyring"]
"""Where a new key goes: `auto` is the keyring where there is a real one, else the file."""

KEY_FILE = "profile.key"
KEY_BYTES = 32

_POINTER = b"keyring:"
_MAX_FILE_BYTES = 64


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


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        check_status(path.name, os.fstat(file.fileno()))
        return file.read(_MAX_FILE_BYTES)


def _create(path: Path, keyring: KeyringChoice) -> None:
    key = secrets.token_bytes(KEY_BYTES)
    name = None if keyring == "file" else keep_secret(key)
    if name is None and keyring == "keyring":
        raise ProfileError("there is no OS keyring that can be used: choose the file, or install the extra `keyring`")
    if not create_once(path, key if name is None else _POINTER + name.encode()) and name is not None:
        forget_secret(name)
