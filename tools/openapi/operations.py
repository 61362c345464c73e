"""What each operation takes, answers and refuses (§7), for the OpenAPI document."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from relay_protocol import answers, errors, requests
from relay_protocol.changeset import Changeset
from relay_protocol.errors import RelayError

ErrorClass = type[RelayError]

ALWAYS: Sequence[ErrorClass] = (errors.MalformedRequest, errors.BodyTooLarge, errors.Internal, errors.Unavailable)
SIGNED: Sequence[ErrorClass] = (
    errors.SignatureRequired,
    errors.SignatureInvalid,
    errors.SignatureExpired,
    errors.DigestMismatch,
    errors.RateLimited,
)
KNOWN: Sequence[ErrorClass] = (*SIGNED, errors.UnknownDevice)
IN_VAULT: Sequence[ErrorClass] = (*KNOWN, errors.RouteNotFound, errors.DeviceRevoked, errors.VaultNotFound)
WITH_BODY: Sequence[ErrorClass] = (errors.UnsupportedMediaType, errors.InvalidField)


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one route. `answers` are the models of its 2xx bodies by status, None for no body."""

    resource: str
    method: str
    name: str
    summary: str
    answers: dict[int, type[BaseModel] | None]
    errors: Sequence[ErrorClass]
    body: Sequence[type[BaseModel]] = ()
    if_match: str | None = None
    """What `If-Match` does here."""
    paged: bool = False
    security: Sequence[Sequence[str]] = (("httpMessageSignature",),)
    """The choices of schemes that a request has; none where it is not signed."""
    fields: Sequence[str] = ()
    """Header fields of the 2xx answers, beside those that every answer to a counted request carries."""

    @property
    def counted(self) -> bool:
        """Whether the limiter counts the request (§9)."""
        return errors.RateLimited in self.errors


VAULT = "/vaults/{vault_id}"

OPERATIONS: Sequence[Operation] = (
    Operation("/health", "GET", "getHealth", "Is the relay there?", {200: answers.HealthAnswer}, ALWAYS, security=()),
    Operation(
        "/config",
        "GET",
        "getConfig",
        "Every limit a client can meet",
        {200: answers.ConfigAnswer},
        ALWAYS,
        security=(),
    ),
    Operation(
        "/devices",
        "POST",
        "registerDevice",
        "Found a vault, or join one with a member's endorsement",
        {201: answers.RegistrationAnswer, 200: answers.RegistrationAnswer},
        (
            *ALWAYS,
            *SIGNED,
            *WITH_BODY,
            errors.DeviceRevoked,
            errors.EndorsementRequired,
            errors.EndorsementInvalid,
            errors.EndorsementExpired,
            errors.VaultCreationClosed,
            errors.VaultNotFound,
            errors.VaultErased,
            errors.QuotaExceeded,
        ),
        body=(requests.Registration,),
        security=(("httpMessageSignature",), ("httpMessageSignature", "vaultToken")),
    ),
    Operation(
        "/devices/{device_id}",
        "GET",
        "getDevice",
        "A device that the signer may know of",
        {200: answers.DeviceAnswer},
        (*ALWAYS, *KNOWN, errors.RouteNotFound, errors.DeviceNotFound),
    ),
    Operation(
        VAULT,
        "GET",
        "getVault",
        "The vault's head, floor, size and latest snapshot",
        {200: answers.VaultAnswer},
        (*ALWAYS, *IN_VAULT),
    ),
    Operation(
        VAULT,
        "DELETE",
        "eraseVault",
        "Erase the vault for ever",
        {204: None},
        (*ALWAYS, *IN_VAULT, errors.PreconditionRequired, errors.HeadMoved),
        if_match="Required: the chain of the head that the eraser has seen",
    ),
    Operation(
        f"{VAULT}/devices",
        "GET",
        "listDevices",
        "The vault's devices, in order of registration",
        {200: answers.MembersAnswer},
        (*ALWAYS, *IN_VAULT),
    ),
    Operation(
        f"{VAULT}/devices/{{device_id}}",
        "DELETE",
        "revokeDevice",
        "Revoke a device for ever",
        {204: None},
        (*ALWAYS, *IN_VAULT, errors.DeviceNotFound, errors.LastDevice),
    ),
    Operation(
        f"{VAULT}/changesets",
        "POST",
        "pushChangesets",
        "Store one changeset or a batch, all or none",
        {201: answers.PushAnswer, 200: answers.PushAnswer},
        (
            *ALWAYS,
            *IN_VAULT,
            *WITH_BODY,
            errors.OriginMismatch,
            errors.ChangesetConflict,
            errors.HeadMoved,
            errors.QuotaExceeded,
        ),
        body=(Changeset, requests.Batch),
        if_match="Optional: store only if the head still has this chain",
        fields=("Sync-Relay-Snapshot",),
    ),
    Operation(
        f"{VAULT}/changesets",
        "GET",
        "pullChangesets",
        "A page of the log",
        {200: answers.PullAnswer},
        (*ALWAYS, *IN_VAULT, errors.InvalidField, errors.CursorAhead, errors.HistoryPruned),
        paged=True,
    ),
    Operation(
        f"{VAULT}/snapshots",
        "POST",
        "announceSnapshot",
        "Announce a blob and learn where to upload it",
        {201: answers.AnnouncementAnswer, 200: answers.AnnouncementAnswer},
        (
            *ALWAYS,
            *IN_VAULT,
            *WITH_BODY,
            errors.SnapshotConflict,
            errors.CursorAhead,
            errors.CoversMismatch,
            errors.QuotaExceeded,
        ),
        body=(requests.Announcement,),
    ),
    Operation(
        f"{VAULT}/snapshots",
        "GET",
        "listSnapshots",
        "All snapshots, newest first",
        {200: answers.SnapshotsAnswer},
        (*ALWAYS, *IN_VAULT),
    ),
    Operation(
        f"{VAULT}/snapshots/latest",
        "GET",
        "getLatestSnapshot",
        "The available snapshot that covers most",
        {200: answers.SnapshotAnswer},
        (*ALWAYS, *IN_VAULT, errors.SnapshotNotFound),
    ),
    Operation(
        f"{VAULT}/snapshots/{{sha256}}",
        "GET",
        "getSnapshot",
        "One snapshot, a pending one too",
        {200: answers.SnapshotAnswer},
        (*ALWAYS, *IN_VAULT, errors.SnapshotNotFound),
    ),
    Operation(
        f"{VAULT}/snapshots/{{sha256}}/complete",
        "POST",
        "completeSnapshot",
        "Make an uploaded snapshot available",
        {200: answers.SnapshotAnswer},
        (*ALWAYS, *IN_VAULT, errors.SnapshotNotFound, errors.UploadIncomplete),
    ),
)
