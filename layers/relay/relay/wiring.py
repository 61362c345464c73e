"""Puts the relay together: the one place that reads the environment and chooses adapters."""

import hmac
import os
import time
import uuid
from functools import cache
from hashlib import sha256

from relay.config import Settings
from relay.observability import PowertoolsTelemetry
from relay.service import Relay


class SystemClock:
    """The machine's wall clock."""

    def now_us(self) -> int:
        """Return Unix microseconds."""
        return time.time_ns() // 1000


class RandomIds:
    """The operating system's randomness."""

    def uuid(self) -> str:
        """Return a random UUID (RFC 9562, version 4)."""
        return str(uuid.uuid4())


@cache
def relay_from_environment() -> Relay:
    """Return this process's relay, made at the first call. Raises ConfigurationError or StoreUnavailable."""
    return build(Settings.from_environment(os.environ))


def build(settings: Settings) -> Relay:
    """Open the stores that the settings name. Raises StoreUnavailable."""
    from relay.adapters.filesystem import FilesystemBlobs, load_or_create_key
    from relay.adapters.sqlite import SqliteLimiter, SqliteLog

    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = load_or_create_key(settings.data_dir / "relay.key")
    journal = settings.sqlite_journal
    return Relay(
        settings=settings,
        log=SqliteLog(settings.data_dir / "relay.sqlite3", journal=journal),
        blobs=FilesystemBlobs(settings.data_dir / "blobs", key),
        limiter=SqliteLimiter(settings.data_dir / "limiter.sqlite3", journal=journal),
        clock=SystemClock(),
        ids=RandomIds(),
        telemetry=PowertoolsTelemetry(settings.log_level),
        address_key=hmac.new(key, b"sync-relay/key/address/v1", sha256).digest(),
    )
