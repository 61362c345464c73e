"""The embedded relay's root key: a file of random bytes that its owner alone can read.

Everything that the relay keys (blob URLs, hashes of client addresses) uses a subkey of it, by a label.
"""

import os
import secrets
from pathlib import Path

from relay.adapters.filesystem.failures import unavailable_on_os_error
from relay.ports import StoreUnavailable

KEY_BYTES = 32
OPEN_TO_OTHERS = 0o077


def load_or_create_key(path: Path) -> bytes:
    """Return the 32 bytes of the key file, which is made first if there is none.

    Processes that start at once get the same key. Raises StoreUnavailable where the file can't be read or made,
    is open to other users, or is not a key.
    """
    with unavailable_on_os_error(f"the key file {path.name}"):
        if not path.exists():
            _create(path)
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & OPEN_TO_OTHERS:
                raise StoreUnavailable(f"the key file {path.name} is open to other users: its mode must be 0600")
            key = file.read(KEY_BYTES + 1)
    if len(key) != KEY_BYTES:
        raise StoreUnavailable(f"the key file {path.name} does not hold {KEY_BYTES} bytes")
    return key


def _create(path: Path) -> None:
    """Write a key aside, then link it into place: nobody sees half of it, and the first of several stays."""
    aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    aside.touch(mode=0o600, exist_ok=False)
    try:
        with aside.open("r+b") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        os.link(aside, path)
    except FileExistsError:
        pass  # another process was first
    finally:
        aside.unlink()
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Make the names in a directory survive the loss of power."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
