"""What the doctor finds."""

from dataclasses import dataclass
from typing import Literal

from sync_relay_client.cli.failures import advice
from sync_relay_client.cli.settings import printable
from sync_relay_client.errors import SyncRelayError


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: how it is, and what to do if it is not well."""

    subject: str
    state: Literal["ok", "look", "wrong"]
    detail: str
    advice: str | None = None


def finding_of(subject: str, error: SyncRelayError) -> Finding:
    """Return what an error means for the one who asks."""
    return Finding(subject, "wrong", printable(f"{type(error).__name__}: {error}"), advice(error))
