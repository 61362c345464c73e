"""What the core needs from the world, and what each method guarantees.

Times are integer Unix milliseconds unless the name says otherwise. Every method of `Log` is one atomic step:
it happens wholly or not at all, no reader sees a part of it, and once it has returned, its effect survives the
loss of the process and of the machine's power. Expected outcomes are return values. Where a store can't answer,
every method of every port raises `StoreUnavailable`; then a write may have happened or not, and repeating the call
is safe.

A write whose outcome is a matter of rules takes a `plan`: a pure function of the core. Within the atomic step the
adapter reads the state the plan needs, calls it, and stores what it returns. It may call it again with a newer
state (optimistic stores do), but stores the result of the last call only.
"""

from relay.ports.blobs import Blobs, BlobStat, Upload
from relay.ports.changesets import AppendPlan, LogState, NewRecord, Page, PruneStep, Receipt, Record
from relay.ports.clock import Clock, Ids
from relay.ports.limiter import Limiter, Quota, Ticket
from relay.ports.log import GroupCommit, Log
from relay.ports.members import (
    Device,
    Endorsement,
    Member,
    PairingPlan,
    PairingState,
    Revocation,
    Roster,
    Signer,
    Standing,
    VaultInfo,
)
from relay.ports.snapshots import AnnouncePlan, AnnounceState, SnapshotRecord
from relay.ports.unavailable import StoreUnavailable

__all__ = [
    "AnnouncePlan",
    "AnnounceState",
    "AppendPlan",
    "BlobStat",
    "Blobs",
    "Clock",
    "Device",
    "Endorsement",
    "GroupCommit",
    "Ids",
    "Limiter",
    "Log",
    "LogState",
    "Member",
    "NewRecord",
    "Page",
    "PairingPlan",
    "PairingState",
    "PruneStep",
    "Quota",
    "Receipt",
    "Record",
    "Revocation",
    "Roster",
    "Signer",
    "SnapshotRecord",
    "Standing",
    "StoreUnavailable",
    "Ticket",
    "Upload",
    "VaultInfo",
]
