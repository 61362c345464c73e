"""The API key that some relays ask for: in a file of the profile, sealed under the profile's key.

It opens a door and nothing behind it: who has it may ask, and is then judged by signatures as anyone else.
"""

import json
import re
from pathlib import Path

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from sync_relay_client.errors import ProfileBroken, ProfileMissing, ProfileUnavailable
from sync_relay_client.profile.private_file import check_private, replaced, sync_folder

FILE = "api.key"
FIELD = "x-api-key"
"""The header field that carries it."""

_FORM = re.compile(r"[\x21-\x7e]{1,512}")


def check_api_key(api_key: str) -> str:
    """Return an API key. Raises ValueError, without it, for what can't be one."""
    if not _FORM.fullmatch(api_key):
        raise ValueError("an API key is 1 to 512 characters of ASCII without spaces")
    return api_key


def keep_api_key(folder: Path, profile_key: bytes, api_key: str) -> None:
    """Put an API key in the place of what is there. Raises ValueError or ProfileUnavailable."""
    members = json.dumps({"api_key": check_api_key(api_key)})
    try:
        with replaced(folder / FILE) as file:
            file.write(SecretBox(profile_key).encrypt(members.encode()))
        sync_folder(folder)
    except OSError as error:
        raise ProfileUnavailable(f"{FILE} can't be written: {error.strerror}") from error


def find_api_key(folder: Path, profile_key: bytes) -> str | None:
    """Return the API key, if one was kept. Raises ProfileUnsafe or ProfileBroken."""
    path = folder / FILE
    try:
        check_private(path)
        members = json.loads(SecretBox(profile_key).decrypt(path.read_bytes()))
        return check_api_key(members["api_key"])
    except ProfileMissing:
        return None
    except (CryptoError, KeyError, ValueError, OSError):
        raise ProfileBroken(f"{FILE} is not what was written: give the API key once more") from None
