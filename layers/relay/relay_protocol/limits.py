"""Every limit a client can meet, each once, by its name in `/config` (§7.1).

Plain dataclasses, which pydantic reads as it does its own models: a function that only reads starts without it.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

MIB = 1024 * 1024
GIB = 1024 * MIB


@dataclass(frozen=True, slots=True)
class Between:
    """The bounds of an integer, both allowed."""

    least: int
    most: int

    def __get_pydantic_core_schema__(self, _: object, handler: "GetCoreSchemaHandler") -> "CoreSchema":
        """Have pydantic check them, and write them into the OpenAPI document."""
        from pydantic_core import core_schema

        return core_schema.int_schema(ge=self.least, le=self.most)


POSITIVE = Between(1, 2**53 - 1)
DAYS = Between(0, 36500)
KEPT_SNAPSHOTS = Between(1, 1000)

Positive = Annotated[int, POSITIVE]


def _whole(schema: dict[str, Any]) -> None:
    """Have the schema require every member, as `/config` names each; a default is a hint to people."""
    schema["required"] = list(schema["properties"])


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """How many requests per window; the whole quota may come at once (§9)."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    requests: Positive
    window_seconds: Positive


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of `/config`, with the protocol's defaults."""

    __pydantic_config__: ClassVar = {"extra": "forbid", "json_schema_extra": _whole}

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long changesets stay, and how many snapshots (§8)."""

    __pydantic_config__: ClassVar = {"extra": "forbid", "json_schema_extra": _whole}

    changeset_days: Annotated[int, DAYS] = 30
    snapshots: Annotated[int, KEPT_SNAPSHOTS] = 3


VaultCreation = Literal["open", "closed", "token"]

DEFAULT_PAGE = 100
MAX_ENDORSEMENT_AHEAD_SECONDS = 7 * 24 * 3600
SNAPSHOT_HINT_LOW = 1_000
SNAPSHOT_HINT_HIGH = 5_000
