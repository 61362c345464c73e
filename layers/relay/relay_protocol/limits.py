"""Every limit a client can meet, each once, by its name in `/config` (§7.1)."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

MIB = 1024 * 1024
GIB = 1024 * MIB

Positive = Annotated[int, Field(ge=1, le=2**53 - 1)]


def _whole(schema: dict[str, Any]) -> None:
    """Have the schema require every member, as `/config` names each; a default is a hint to people."""
    schema["required"] = list(schema["properties"])


class RateLimit(BaseModel):
    """How many requests per window; the whole quota may come at once (§9)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    requests: Positive
    window_seconds: Positive


class Limits(BaseModel):
    """The limits of `/config`, with the protocol's defaults."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra=_whole)

    max_body_bytes: Positive = 4 * MIB
    max_batch: Positive = 100
    max_page: Positive = 500
    max_page_bytes: Positive = 4 * MIB
    max_snapshot_bytes: Positive = 5 * GIB
    max_vault_bytes: Positive = 10 * GIB
    max_devices: Positive = 64
    max_pending_snapshots: Positive = 4
    clock_skew_seconds: Positive = 300
    upload_ttl_seconds: Positive = 3600
    url_ttl_seconds: Positive = 900
    rate_limit: RateLimit | None = RateLimit(requests=600, window_seconds=60)


class Retention(BaseModel):
    """How long changesets stay, and how many snapshots (§8)."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra=_whole)

    changeset_days: Annotated[int, Field(ge=0, le=36500)] = 30
    snapshots: Annotated[int, Field(ge=1, le=1000)] = 3


VaultCreation = Literal["open", "closed", "token"]

DEFAULT_PAGE = 100
MAX_ENDORSEMENT_AHEAD_SECONDS = 7 * 24 * 3600
SNAPSHOT_HINT_LOW = 1_000
SNAPSHOT_HINT_HIGH = 5_000
