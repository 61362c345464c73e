"""The keyring of the operating system, by the library `keyring`: an optional extra of this distribution."""

from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import uuid4

from relay_protocol.encoding import base64url, from_base64url
from sync_relay_client.errors import ProfileBroken, ProfileError

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

_SERVICE = "sync-relay"
_RECOMMENDED_PRIORITY = 1
"""Below it are the backends that fail, forget, or keep secrets as plain text."""


def keep_secret(secret: bytes) -> str | None:
    """Keep a secret in the keyring and return the name it has there.

    None without the extra, without a real keyring, or where one does not give back what it was given.
    """
    backend = _backend()
    if backend is None:
        return None
    name = str(uuid4())
    try:
        backend.set_password(_SERVICE, name, base64url(secret))
        kept = backend.get_password(_SERVICE, name)
    except Exception:  # noqa: BLE001 -- a backend raises whatever its system's library does
        kept = None
    if kept == base64url(secret):
        return name
    forget_secret(name)
    return None


def find_secret(name: str) -> bytes:
    """Return a secret that was kept.

    Raises ProfileError if no keyring answers, ProfileBroken if it does not hold the secret.
    """
    backend = _backend()
    if backend is None:
        raise ProfileError("the profile's key is in the OS keyring, and none can be used here")
    try:
        kept = backend.get_password(_SERVICE, name)
    except Exception as error:
        raise ProfileError("the OS keyring, which holds the profile's key, does not answer: is it locked?") from error
    if kept is None:
        raise ProfileBroken("the OS keyring does not hold the profile's key")
    try:
        return from_base64url(kept)
    except ValueError:
        raise ProfileBroken("what the OS keyring holds for this profile is no key") from None


def forget_secret(name: str) -> None:
    """Remove a secret from the keyring, as far as it lets us."""
    backend = _backend()
    with suppress(Exception):  # what stays behind is a random key that seals nothing
        if backend is not None:
            backend.delete_password(_SERVICE, name)


def _backend() -> "KeyringBackend | None":
    """Return the first real keyring of those that the user or the system chose."""
    try:
        from keyring import get_keyring  # noqa: PLC0415 -- an optional extra

        chosen = get_keyring()
        chained = getattr(chosen, "backends", [chosen])  # the library's default may be a chain of all there are
        return next((backend for backend in chained if backend.priority >= _RECOMMENDED_PRIORITY), None)
    except Exception:  # noqa: BLE001 -- not installed, a configuration of its own that is wrong, no desktop session
        return None
