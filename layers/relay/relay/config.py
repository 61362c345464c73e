"""The relay's configuration, read once from the environment into a frozen dataclass.

By hand, and not by pydantic: most functions need it for nothing else, and it is half of what they would import.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

from relay_protocol.limits import DAYS, KEPT_SNAPSHOTS, POSITIVE, Between, Limits, RateLimit, Retention, VaultCreation

MAX_ON_DYNAMODB = {"max_batch": 1000, "max_devices": 1000, "max_pending_snapshots": 1000}
"""An item holds 400 KB: the receipts of a push are in one, a vault's devices and pending snapshots in another."""
MAX_SQLITE_SHARDS = 64
"""A process locks two files a shard, the limiter's is the other; EFS lets a mount's processes lock 256 together."""

Metadata = Literal["sqlite", "dynamodb"]
BlobStore = Literal["filesystem", "s3"]
Journal = Literal["wal", "delete", "persist"]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]


class ConfigurationError(Exception):
    """A variable has a bad value. The message is one line that names the variable, never its value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything an operator can choose. `from_environment` names the variables, and checks them."""

    metadata: Metadata = "sqlite"
    blobs: BlobStore = "filesystem"
    data_dir: Path = Path("data")
    sqlite_journal: Journal = "wal"
    sqlite_shards: int = 1
    log_table: str | None = None
    limiter_table: str | None = None
    bucket: str | None = None
    dynamodb_endpoint: str | None = None
    s3_endpoint: str | None = None
    address_key: str | None = None
    host: str = "127.0.0.1"
    port: int = 8787
    public_url: str | None = None
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    limits: Limits = field(default_factory=Limits)
    retention: Retention = field(default_factory=Retention)
    vault_creation: VaultCreation = "open"
    vault_token: str | None = None
    maintain_interval_seconds: int = 3600
    log_level: LogLevel = "INFO"
    service_name: str = "sync-relay"
    request_metrics: bool = False

    def __repr__(self) -> str:
        """Show nothing: some of it is secret."""
        return "Settings(…)"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the `RELAY_…` variables; an absent one keeps its default. Raises ConfigurationError."""
        values: dict[str, dict[str, Any]] = {"": {}, "limits": {}, "retention": {}}
        for name, text in environment.items():
            if name in _VARIABLES:
                place, reader = _VARIABLES[name]
                group, _, member = place.rpartition(".")
                try:
                    values[group][member] = reader(text)
                except ValueError as error:
                    raise ConfigurationError(f"{name}: {error}") from None
            elif name.startswith("RELAY_"):
                raise ConfigurationError(f"{name}: no such variable")
        settings = cls(limits=Limits(**values["limits"]), retention=Retention(**values["retention"]), **values[""])
        settings._check()
        return settings

    def _check(self) -> None:
        """Raise ConfigurationError where variables do not go together."""
        if (self.vault_creation == "token") != (self.vault_token is not None):
            raise ConfigurationError("RELAY_VAULT_TOKEN goes with RELAY_VAULT_CREATION=token, and must be there then")
        on_dynamodb = self.metadata == "dynamodb"
        is_shared = self.sqlite_shards > 1 and self.blobs == "s3"  # by functions, which keep no key file
        needed = {
            "RELAY_BUCKET": self.blobs == "s3" and self.bucket is None,
            "RELAY_BLOBS=s3": on_dynamodb and self.blobs != "s3",
            "RELAY_LOG_TABLE": on_dynamodb and self.log_table is None,
            "RELAY_LIMITER_TABLE": on_dynamodb and self.limiter_table is None,
            "RELAY_ADDRESS_KEY": (on_dynamodb or is_shared) and self.address_key is None,
        }
        for name, is_missing in needed.items():
            if is_missing:
                raise ConfigurationError(f"{name} is needed with these stores")
        for name, most in MAX_ON_DYNAMODB.items() if on_dynamodb else ():
            if getattr(self.limits, name) > most:
                raise ConfigurationError(f"RELAY_{name.upper()}: at most {most} with dynamodb, for the size of an item")


def _whole(bounds: Between) -> Callable[[str], int]:
    def checked(text: str) -> int:
        if not (text.isascii() and text.isdigit()):
            raise ValueError("not a whole number")
        if not bounds.least <= int(text[:20]) <= bounds.most:
            raise ValueError(f"not between {bounds.least} and {bounds.most}")
        return int(text)

    return checked


def _text(at_least: int = 0, at_most: int | None = None) -> Callable[[str], str]:
    def checked(text: str) -> str:
        if len(text) < at_least or (at_most is not None and len(text) > at_most):
            raise ValueError(
                f"not of {at_least} to {at_most} characters" if at_most else f"under {at_least} characters"
            )
        return text

    return checked


def _one_of(choices: Any) -> Callable[[str], str]:  # noqa: ANN401 -- a Literal
    def checked(text: str) -> str:
        if text not in get_args(choices):
            raise ValueError(f"none of {', '.join(get_args(choices))}")
        return text

    return checked


def _switch(text: str) -> bool:
    if text.lower() not in {"on", "off", "true", "false", "yes", "no", "1", "0"}:
        raise ValueError("neither on nor off")
    return text.lower() in {"on", "true", "yes", "1"}


def _networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError:
        raise ValueError("not networks, with commas between them") from None


def _public_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("not an http(s) URL of authority and base path")
    return text.rstrip("/")


def _rate_limit(text: str) -> RateLimit | None:
    """Read `requests/seconds`, or `off`."""
    if text == "off":
        return None
    requests, slash, seconds = text.partition("/")
    if not slash:
        raise ValueError("not requests/seconds, nor off")
    return RateLimit(requests=_whole(POSITIVE)(requests), window_seconds=_whole(POSITIVE)(seconds))


_VARIABLES: dict[str, tuple[str, Callable[[str], Any]]] = {
    **{f"RELAY_{limit.name.upper()}": (f"limits.{limit.name}", _whole(POSITIVE)) for limit in fields(Limits)},
    "RELAY_RATE_LIMIT": ("limits.rate_limit", _rate_limit),
    "RELAY_METADATA": ("metadata", _one_of(Metadata)),
    "RELAY_BLOBS": ("blobs", _one_of(BlobStore)),
    "RELAY_DATA_DIR": ("data_dir", Path),
    "RELAY_SQLITE_JOURNAL": ("sqlite_journal", _one_of(Journal)),
    "RELAY_SQLITE_SHARDS": ("sqlite_shards", _whole(Between(1, MAX_SQLITE_SHARDS))),
    "RELAY_LOG_TABLE": ("log_table", _text(3)),
    "RELAY_LIMITER_TABLE": ("limiter_table", _text(3)),
    "RELAY_BUCKET": ("bucket", _text(3)),
    "RELAY_DYNAMODB_ENDPOINT": ("dynamodb_endpoint", _text()),
    "RELAY_S3_ENDPOINT": ("s3_endpoint", _text()),
    "RELAY_ADDRESS_KEY": ("address_key", _text(32)),
    "RELAY_HOST": ("host", _text()),
    "RELAY_PORT": ("port", _whole(Between(0, 65535))),
    "RELAY_PUBLIC_URL": ("public_url", _public_url),
    "RELAY_TRUSTED_PROXIES": ("trusted_proxies", _networks),
    "RELAY_CHANGESET_DAYS": ("retention.changeset_days", _whole(DAYS)),
    "RELAY_KEEP_SNAPSHOTS": ("retention.snapshots", _whole(KEPT_SNAPSHOTS)),
    "RELAY_VAULT_CREATION": ("vault_creation", _one_of(VaultCreation)),
    "RELAY_VAULT_TOKEN": ("vault_token", _text(16)),
    "RELAY_MAINTAIN_INTERVAL_SECONDS": ("maintain_interval_seconds", _whole(POSITIVE)),
    "RELAY_LOG_LEVEL": ("log_level", _one_of(LogLevel)),
    "RELAY_SERVICE_NAME": ("service_name", _text(1, 128)),
    "RELAY_REQUEST_METRICS": ("request_metrics", _switch),
}
"""By name: the setting, and what reads its text, or raises ValueError with what is wrong and never the value."""
