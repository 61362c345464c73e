"""Puts the relay together: the one place that reads the environment and chooses adapters."""

import gc
import hmac
import os
import time
import uuid
from functools import cache, partial
from hashlib import sha256
from importlib import import_module
from typing import TYPE_CHECKING, Any

from relay.config import Settings
from relay.observability import PowertoolsTelemetry
from relay.ports import Blobs, Limiter, Log, StoreUnavailable
from relay.service import Relay

if TYPE_CHECKING:
    from relay.adapters.s3 import Bucket

ON_LAMBDA = "AWS_LAMBDA_INITIALIZATION_TYPE"
WHILE_SOMEONE_WAITS = "on-demand"


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


def prepare() -> None:
    """On Lambda, make the relay now: INIT has a whole processor, a request has its memory's share (docs/adr/0023).

    Where nobody waits for it (provisioned concurrency, SnapStart), import what parses bodies, too. Elsewhere, and so in
    the embedded server, it does nothing. Raises as `relay_from_environment` does.
    """
    kind = os.environ.get(ON_LAMBDA)
    if kind is None:
        return
    gc.disable()  # nothing of what is made now is garbage; to look for it takes a tenth of the time
    try:
        if kind != WHILE_SOMEONE_WAITS:
            import_module("relay_protocol.requests")
        relay_from_environment()
    finally:
        gc.freeze()  # nor will it be, as long as the instance lives
        gc.enable()


def build(settings: Settings) -> Relay:
    """Open the stores that the settings name. Raises StoreUnavailable."""
    log, limiter, blobs = _on_disk(settings) if settings.blobs == "filesystem" else _on_aws(settings)
    key = settings.address_key.encode() if settings.address_key else _data_key(settings)
    return Relay(
        settings=settings,
        log=log,
        blobs=blobs,
        limiter=limiter,
        clock=SystemClock(),
        ids=RandomIds(),
        telemetry=PowertoolsTelemetry(
            settings.log_level, settings.service_name, request_metrics=settings.request_metrics
        ),
        address_key=hmac.new(key, b"sync-relay/key/address/v1", sha256).digest(),
    )


def _on_disk(settings: Settings) -> tuple[Log, Limiter, Blobs]:
    return (*_sqlite(settings), _files(settings))


def _on_aws(settings: Settings) -> tuple[Log, Limiter, Blobs]:
    """Open the blobs in S3, and the log beside them or in SQLite."""
    from relay.adapters.s3 import S3Blobs
    from relay.aws import new_session

    session = new_session()
    bucket = _bucket(settings, session)
    stores = _sqlite(settings) if settings.metadata == "sqlite" else _dynamodb(settings, bucket, session)
    return (*stores, S3Blobs(bucket))


def _sqlite(settings: Settings) -> tuple[Log, Limiter]:
    from relay.adapters.sqlite import open_stores

    return open_stores(settings.data_dir, settings.sqlite_shards, settings.sqlite_journal)


def _dynamodb(settings: Settings, bucket: "Bucket", session: Any) -> tuple[Log, Limiter]:  # noqa: ANN401
    from relay.adapters.dynamodb import DynamoLimiter, DynamoLog, connect
    from relay.adapters.s3 import S3Texts

    client = connect(settings.dynamodb_endpoint, session)
    return (
        DynamoLog(client, settings.log_table or "", S3Texts(bucket)),
        DynamoLimiter(client, settings.limiter_table or ""),
    )


def _files(settings: Settings) -> Blobs:
    from relay.adapters.filesystem import FilesystemBlobs

    return FilesystemBlobs(settings.data_dir / "blobs", _data_key(settings))


def _bucket(settings: Settings, session: Any) -> "Bucket":  # noqa: ANN401
    from relay.adapters.s3 import Bucket, connect
    from relay.aws import LateClient

    return Bucket(LateClient(partial(connect, settings.s3_endpoint, session)), settings.bucket or "")


def _data_key(settings: Settings) -> bytes:
    from relay.adapters.filesystem import load_or_create_key

    if settings.sqlite_shards == 1:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    elif not settings.data_dir.is_dir():  # a file system that is not mounted, see `ShardFolder`
        raise StoreUnavailable("data directory missing")
    return load_or_create_key(settings.data_dir / "relay.key")
