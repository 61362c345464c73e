"""Puts the relay together: the one place that reads the environment and chooses adapters."""

import hmac
import os
import time
import uuid
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING

from relay.config import Settings
from relay.observability import PowertoolsTelemetry
from relay.ports import Blobs, Limiter, Log, StoreUnavailable
from relay.service import Relay

if TYPE_CHECKING:
    from relay.adapters.s3 import Bucket


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
    log, limiter = _sqlite(settings) if settings.metadata == "sqlite" else _dynamodb(settings)
    key = settings.address_key.encode() if settings.address_key else _data_key(settings)
    return Relay(
        settings=settings,
        log=log,
        blobs=_files(settings) if settings.blobs == "filesystem" else _objects(settings),
        limiter=limiter,
        clock=SystemClock(),
        ids=RandomIds(),
        telemetry=PowertoolsTelemetry(
            settings.log_level, settings.service_name, request_metrics=settings.request_metrics
        ),
        address_key=hmac.new(key, b"sync-relay/key/address/v1", sha256).digest(),
    )


def _sqlite(settings: Settings) -> tuple[Log, Limiter]:
    from relay.adapters.sqlite import open_stores

    return open_stores(settings.data_dir, settings.sqlite_shards, settings.sqlite_journal)


def _dynamodb(settings: Settings) -> tuple[Log, Limiter]:
    from relay.adapters.dynamodb import DynamoLimiter, DynamoLog, connect
    from relay.adapters.s3 import S3Texts

    client = connect(settings.dynamodb_endpoint)
    return (
        DynamoLog(client, settings.log_table or "", S3Texts(_bucket(settings))),
        DynamoLimiter(client, settings.limiter_table or ""),
    )


def _files(settings: Settings) -> Blobs:
    from relay.adapters.filesystem import FilesystemBlobs

    return FilesystemBlobs(settings.data_dir / "blobs", _data_key(settings))


def _objects(settings: Settings) -> Blobs:
    from relay.adapters.s3 import S3Blobs

    return S3Blobs(_bucket(settings))


def _bucket(settings: Settings) -> "Bucket":
    from relay.adapters.s3 import Bucket, connect

    return Bucket(connect(settings.s3_endpoint), settings.bucket or "")


def _data_key(settings: Settings) -> bytes:
    from relay.adapters.filesystem import load_or_create_key

    if settings.sqlite_shards == 1:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    elif not settings.data_dir.is_dir():  # a file system that is not mounted, see `ShardFolder`
        raise StoreUnavailable("data directory missing")
    return load_or_create_key(settings.data_dir / "relay.key")
