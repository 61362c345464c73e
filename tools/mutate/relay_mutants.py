"""Bugs of a relay that can be seen from outside, each with the check of the conformance kit that must see it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

RELAY = Path("layers/relay/relay")
PROTOCOL = Path("layers/relay/relay_protocol")
LOCAL = Path("local")

QUICK = {
    "RELAY_CHANGESET_DAYS": "0",
    "RELAY_MAINTAIN_INTERVAL_SECONDS": "1",
    "RELAY_UPLOAD_TTL_SECONDS": "2",
    "RELAY_URL_TTL_SECONDS": "1",
}
"""A relay whose retention can be watched."""
TOKEN = {"RELAY_VAULT_CREATION": "token", "RELAY_VAULT_TOKEN": "an operator's token"}
SMALL = {"RELAY_MAX_DEVICES": "3", "RELAY_MAX_BODY_BYTES": "100000", "RELAY_MAX_PAGE_BYTES": "90000"}


@dataclass(frozen=True, slots=True)
class RelayMutant:
    """One bug: in `path`, `old` (which stands there once) becomes `new`; the kit must fail by `check`, its title.

    `variables` are those of the relay that has the bug.
    """

    name: str
    path: Path
    old: str
    new: str
    check: str
    variables: Mapping[str, str] = field(default_factory=dict)
