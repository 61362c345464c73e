"""What a device runs: it seals, signs, sends, and believes only what it verified itself (§11 of docs/protocol.md).

`Vault` (and `AsyncVault`) is what an app needs. Below it, for those who bring their own storage: `VaultSession` holds
what was verified of a vault, `RelayClient` speaks to a relay, and neither knows the other.
"""

from sync_relay_client.aio import AsyncVault
from sync_relay_client.answers import Page, Pushed
from sync_relay_client.envelope import Change, Envelope
from sync_relay_client.invitation import Invitation, read_request, request_code
from sync_relay_client.keys import DeviceKey, VaultKey
from sync_relay_client.opening import OpenedChange
from sync_relay_client.options import Options
from sync_relay_client.profile import Inbox, Outbox, Restored
from sync_relay_client.relay_client import RelayClient, VaultEndpoint
from sync_relay_client.retry import Retry
from sync_relay_client.session import VaultSession
from sync_relay_client.snapshot_blob import ContentMeasure, SnapshotContext, SnapshotReader, measure
from sync_relay_client.status import Status
from sync_relay_client.vault import Vault
from sync_relay_client.words import fingerprint

__all__ = [
    "AsyncVault",
    "Change",
    "ContentMeasure",
    "DeviceKey",
    "Envelope",
    "Inbox",
    "Invitation",
    "OpenedChange",
    "Options",
    "Outbox",
    "Page",
    "Pushed",
    "RelayClient",
    "Restored",
    "Retry",
    "SnapshotContext",
    "SnapshotReader",
    "Status",
    "Vault",
    "VaultEndpoint",
    "VaultKey",
    "VaultSession",
    "fingerprint",
    "measure",
    "read_request",
    "request_code",
]
