"""What a device runs: it seals, signs, sends, and believes only what it verified itself (§11 of docs/protocol.md).

`RelayClient` speaks to a relay, `VaultSession` holds what was verified of a vault; neither knows the other. All
else is below them: keys, envelope, membership, opening, invitation, snapshot blob, and `errors`, which is one tree.
"""

from sync_relay_client.answers import Page, Pushed
from sync_relay_client.envelope import Change, Envelope
from sync_relay_client.invitation import Invitation, read_request, request_code
from sync_relay_client.keys import DeviceKey, VaultKey
from sync_relay_client.opening import OpenedChange
from sync_relay_client.relay_client import RelayClient, VaultEndpoint
from sync_relay_client.session import VaultSession
from sync_relay_client.snapshot_blob import ContentMeasure, SnapshotContext, SnapshotReader, measure

__all__ = [
    "Change",
    "ContentMeasure",
    "DeviceKey",
    "Envelope",
    "Invitation",
    "OpenedChange",
    "Page",
    "Pushed",
    "RelayClient",
    "SnapshotContext",
    "SnapshotReader",
    "VaultEndpoint",
    "VaultKey",
    "VaultSession",
    "measure",
    "read_request",
    "request_code",
]
