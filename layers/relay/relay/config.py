"""The relay's configuration, read once from the environment into a frozen model."""

from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from relay_protocol.limits import Limits, Retention, VaultCreation

MAX_DYNAMODB_BATCH = 1000
MAX_SQLITE_SHARDS = 64
"""A process locks two files a shard, the limiter's is the other; EFS lets a mount's processes lock 256 together."""


class ConfigurationError(Exception):
    """A variable has a bad value. The message is one line that names the variable, never its value."""


def _networks(text: object) -> object:
    return [part.strip() for part in text.split(",") if part.strip()] if isinstance(text, str) else text


def _public_url(text: object) -> object:
    if not isinstance(text, str):
        return text
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("not an http(s) URL of authority and base path")
    return text.rstrip("/")


class Settings(BaseModel):
    """Everything an operator can choose. `from_environment` names the variables."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    metadata: Literal["sqlite", "dynamodb"] = "sqlite"
    blobs: Literal["filesystem", "s3"] = "filesystem"
    data_dir: Path = Path("data")
    sqlite_journal: Literal["wal", "delete", "persist"] = "wal"
    sqlite_shards: Annotated[int, Field(ge=1, le=MAX_SQLITE_SHARDS)] = 1
    log_table: Annotated[str | None, Field(min_length=3)] = None
    limiter_table: Annotated[str | None, Field(min_length=3)] = None
    bucket: Annotated[str | None, Field(min_length=3)] = None
    dynamodb_endpoint: str | None = None
    s3_endpoint: str | None = None
    address_key: Annotated[str | None, Field(min_length=32, repr=False)] = None
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8787
    public_url: Annotated[str | None, BeforeValidator(_public_url)] = None
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], BeforeValidator(_networks)] = ()
    limits: Limits = Limits()
    retention: Retention = Retention()
    vault_creation: VaultCreation = "open"
    vault_token: Annotated[str | None, Field(min_length=16, repr=False)] = None
    maintain_interval_seconds: Annotated[int, Field(ge=1)] = 3600
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    service_name: Annotated[str, Field(min_length=1, max_length=128)] = "sync-relay"
    request_metrics: bool = False

    @model_validator(mode="after")
    def _token_is_there_when_asked_for(self) -> "Settings":
        if (self.vault_creation == "token") != (self.vault_token is not None):
            raise ValueError("RELAY_VAULT_TOKEN goes with RELAY_VAULT_CREATION=token, and must be there then")
        return self

    @model_validator(mode="after")
    def _stores_have_their_names(self) -> "Settings":
        is_shared = self.sqlite_shards > 1 and self.blobs == "s3"  # by functions, which keep no key file
        needed = {
            "RELAY_BUCKET": self.blobs == "s3" and self.bucket is None,
            "RELAY_BLOBS=s3": self.metadata == "dynamodb" and self.blobs != "s3",
            "RELAY_LOG_TABLE": self.metadata == "dynamodb" and self.log_table is None,
            "RELAY_LIMITER_TABLE": self.metadata == "dynamodb" and self.limiter_table is None,
            "RELAY_ADDRESS_KEY": (self.metadata == "dynamodb" or is_shared) and self.address_key is None,
        }
        for name, is_missing in needed.items():
            if is_missing:
                raise ValueError(f"{name} is needed with these stores")
        if self.metadata == "dynamodb" and self.limits.max_batch > MAX_DYNAMODB_BATCH:
            raise ValueError(f"RELAY_MAX_BATCH: at most {MAX_DYNAMODB_BATCH} with dynamodb, where a push is one item")
        return self

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the `RELAY_…` variables; an absent one keeps its default. Raises ConfigurationError."""
        values: dict[str, Any] = {}
        for name, text in environment.items():
            if name in _VARIABLES:
                _put(values, _VARIABLES[name], _rate_limit(text) if name == "RELAY_RATE_LIMIT" else text)
            elif name.startswith("RELAY_"):
                raise ConfigurationError(f"{name}: no such variable")
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise ConfigurationError(_first_problem(error)) from None


_VARIABLES: dict[str, tuple[str, ...]] = {
    **{f"RELAY_{name.upper()}": ("limits", name) for name in Limits.model_fields},
    "RELAY_METADATA": ("metadata",),
    "RELAY_BLOBS": ("blobs",),
    "RELAY_DATA_DIR": ("data_dir",),
    "RELAY_SQLITE_JOURNAL": ("sqlite_journal",),
    "RELAY_SQLITE_SHARDS": ("sqlite_shards",),
    "RELAY_LOG_TABLE": ("log_table",),
    "RELAY_LIMITER_TABLE": ("limiter_table",),
    "RELAY_BUCKET": ("bucket",),
    "RELAY_DYNAMODB_ENDPOINT": ("dynamodb_endpoint",),
    "RELAY_S3_ENDPOINT": ("s3_endpoint",),
    "RELAY_ADDRESS_KEY": ("address_key",),
    "RELAY_HOST": ("host",),
    "RELAY_PORT": ("port",),
    "RELAY_PUBLIC_URL": ("public_url",),
    "RELAY_TRUSTED_PROXIES": ("trusted_proxies",),
    "RELAY_CHANGESET_DAYS": ("retention", "changeset_days"),
    "RELAY_KEEP_SNAPSHOTS": ("retention", "snapshots"),
    "RELAY_VAULT_CREATION": ("vault_creation",),
    "RELAY_VAULT_TOKEN": ("vault_token",),
    "RELAY_MAINTAIN_INTERVAL_SECONDS": ("maintain_interval_seconds",),
    "RELAY_LOG_LEVEL": ("log_level",),
    "RELAY_SERVICE_NAME": ("service_name",),
    "RELAY_REQUEST_METRICS": ("request_metrics",),
}


def _put(values: dict[str, Any], place: tuple[str, ...], value: Any) -> None:  # noqa: ANN401
    for step in place[:-1]:
        values = values.setdefault(step, {})
    values[place[-1]] = value


def _rate_limit(text: str) -> dict[str, str] | None:
    """Read `requests/seconds`, or `off`."""
    if text == "off":
        return None
    requests, slash, seconds = text.partition("/")
    if not slash:
        raise ConfigurationError("RELAY_RATE_LIMIT: not requests/seconds, nor off")
    return {"requests": requests, "window_seconds": seconds}


def _first_problem(error: ValidationError) -> str:
    problem = error.errors(include_url=False, include_input=False)[0]
    place = tuple(str(step) for step in problem["loc"])
    names = [name for name, where in _VARIABLES.items() if where == place[: len(where)]]
    return f"{names[0]}: {problem['msg']}" if names else problem["msg"]
