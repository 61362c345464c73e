"""How a vault is reached."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from sync_relay_client.profile.api_key import check_api_key
from sync_relay_client.profile.secrets import KeyringChoice
from sync_relay_client.retry import Retry

INVITATION_SECONDS = 24 * 3600
"""How long an invitation is good, unless it is asked for otherwise."""
WATCH_SECONDS = 5.0
"""How often a watched vault is synced."""


@dataclass(frozen=True, slots=True)
class Options:
    """The defaults suit an app.

    `keyring` says where a new profile's key goes: the system's keyring where there is one ("auto"), or a file.
    `api_key` is for relays behind a gateway that asks for one. The profile keeps it, sealed: it is given once.
    `transport`, `async_transport`, `clock` (Unix seconds) and `sleep` replace the world in tests.
    """

    keyring: KeyringChoice = "auto"
    api_key: str | None = field(default=None, repr=False)
    timeout_seconds: float = 30.0
    retry: Retry = field(default_factory=Retry)
    transport: httpx.BaseTransport | None = None
    async_transport: httpx.AsyncBaseTransport | None = None
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        """Raise ValueError for an API key that is none."""
        if self.api_key is not None:
            check_api_key(self.api_key)
