"""The protocol's errors (§6): one class a code. They are raised in the relay, and name the codes to a client.

No member ever holds a part of a request, save ids that its path carries and those in `ids`.
"""

from typing import Any, ClassVar

from relay_protocol.chain import Head


class RelayError(Exception):
    """An error that the protocol knows: `status`, a stable `code`, a `title` for people, and named members."""

    status: ClassVar[int]
    code: ClassVar[str]
    title: ClassVar[str]

    def __init__(self, **members: Any) -> None:  # noqa: ANN401 -- JSON members, each class names its own
        super().__init__(self.code)
        self.members = members

    @property
    def headers(self) -> dict[str, str]:
        """Header fields that the answer carries besides the problem's body."""
        return {}

    def problem(self) -> dict[str, Any]:
        """Return the problem details object (RFC 9457)."""
        about = {"type": "about:blank", "title": self.title, "status": self.status, "code": self.code}
        return about | self.members


class MalformedRequest(RelayError):
    """Not JSON, not UTF-8, an unknown or repeated query parameter, an `If-Match` that is not one strong tag."""

    status, code, title = 400, "malformed_request", "The request is malformed"


class SignatureRequired(RelayError):
    """Signature fields missing, several signatures, labels that differ, or not structured fields."""

    status, code, title = 401, "signature_required", "The request must be signed"


class SignatureInvalid(RelayError):
    """A parameter or component breaks a rule of §4, or the signature does not verify."""

    status, code, title = 401, "signature_invalid", "The signature is not valid"


class SignatureExpired(RelayError):
    """`created` is too far from the relay's clock, or `expires` is past."""

    status, code, title = 401, "signature_expired", "The signature is out of time"


class DigestMismatch(RelayError):
    """`Content-Digest` can't be parsed, lacks `sha-256`, or differs from the body's."""

    status, code, title = 401, "digest_mismatch", "The content digest does not match the body"


class UnknownDevice(RelayError):
    """`keyid` was never registered in a vault that still exists."""

    status, code, title = 401, "unknown_device", "The device is not known"


class DeviceRevoked(RelayError):
    """The signer was revoked in this vault."""

    status, code, title = 403, "device_revoked", "The device was revoked"


class EndorsementRequired(RelayError):
    """The vault exists: a member must endorse whoever joins."""

    status, code, title = 403, "endorsement_required", "A member of the vault must endorse the device"


class EndorsementInvalid(RelayError):
    """The endorser is no member, the signature is wrong, or the expiry is too far ahead."""

    status, code, title = 403, "endorsement_invalid", "The endorsement is not valid"


class EndorsementExpired(RelayError):
    """The endorsement's time is past."""

    status, code, title = 403, "endorsement_expired", "The endorsement has expired"


class VaultCreationClosed(RelayError):
    """New vaults are not allowed here, or not without the operator's token."""

    status, code, title = 403, "vault_creation_closed", "New vaults can't be created here"


class OriginMismatch(RelayError):
    """`origin_device` is not the signer."""

    status, code, title = 403, "origin_mismatch", "The origin device is not the signer"


class VaultNotFound(RelayError):
    """No such vault, or the signer was never registered in it: one answer for both."""

    status, code, title = 404, "vault_not_found", "There is no such vault"


class DeviceNotFound(RelayError):
    """No such device that the signer may know of."""

    status, code, title = 404, "device_not_found", "There is no such device"


class SnapshotNotFound(RelayError):
    """No such snapshot, or none available yet."""

    status, code, title = 404, "snapshot_not_found", "There is no such snapshot"


class RouteNotFound(RelayError):
    """No such path, or an id in it that has not the form of its kind."""

    status, code, title = 404, "route_not_found", "There is no such route"


class MethodNotAllowed(RelayError):
    """The path takes other methods; `Allow` names them."""

    status, code, title = 405, "method_not_allowed", "The method is not allowed here"

    def __init__(self, allow: tuple[str, ...]) -> None:
        super().__init__()
        self.allow = allow

    @property
    def headers(self) -> dict[str, str]:
        """Return `Allow`."""
        return {"Allow": ", ".join(self.allow)}


class ChangesetConflict(RelayError):
    """`ids` are taken by other contents; nothing was stored."""

    status, code, title = 409, "changeset_conflict", "An id is taken by another changeset"

    def __init__(self, ids: list[str]) -> None:
        super().__init__(ids=ids)


class SnapshotConflict(RelayError):
    """The same blob was announced with another size, key, schema or `covers`."""

    status, code, title = 409, "snapshot_conflict", "The blob was announced otherwise before"


class CursorAhead(RelayError):
    """`since`, or a snapshot's `covers.seq`, is past the head."""

    status, code, title = 409, "cursor_ahead", "The cursor is past the head"

    def __init__(self, head: Head) -> None:
        super().__init__(head=head.as_json())


class LastDevice(RelayError):
    """The last member can't be revoked."""

    status, code, title = 409, "last_device", "The last device can't be revoked: erase the vault instead"


class UploadIncomplete(RelayError):
    """The blob is not there yet, or is not the announced one."""

    status, code, title = 409, "upload_incomplete", "The blob is not there, or not the announced one"


class VaultErased(RelayError):
    """The id of an erased vault is spent."""

    status, code, title = 409, "vault_erased", "The vault was erased: its id is spent"


class HistoryPruned(RelayError):
    """`since` is before the floor; `snapshot` (as on the wire, without `download`, or None) holds what was pruned."""

    status, code, title = 410, "history_pruned", "The history before the floor was pruned"

    def __init__(self, floor: Head, snapshot: dict[str, Any] | None) -> None:
        super().__init__(floor=floor.as_json(), snapshot=snapshot)


class HeadMoved(RelayError):
    """`If-Match` is not the head's chain."""

    status, code, title = 412, "head_moved", "The head has moved"

    def __init__(self, head: Head) -> None:
        super().__init__(head=head.as_json())


class BodyTooLarge(RelayError):
    """A body, or an announced snapshot, is over `limit` bytes."""

    status, code, title = 413, "body_too_large", "The body is too large"

    def __init__(self, limit: int) -> None:
        super().__init__(limit=limit)


class UnsupportedMediaType(RelayError):
    """The media type is not `application/json`, or a content coding was used."""

    status, code, title = (
        415,
        "unsupported_media_type",
        "The body must be application/json without content coding",
    )


class InvalidField(RelayError):
    """Fields break a rule: `errors` is a list of `{pointer, reason}`, never a value."""

    status, code, title = 422, "invalid_field", "A field is not valid"

    def __init__(self, *errors: tuple[str, str]) -> None:
        super().__init__(errors=[{"pointer": pointer, "reason": reason} for pointer, reason in errors])


class CoversMismatch(RelayError):
    """`covers.chain` is not the log's chain at that seq."""

    status, code, title = 422, "covers_mismatch", "The covered chain is not the log's"


class PreconditionRequired(RelayError):
    """Erasing a vault needs `If-Match`."""

    status, code, title = 428, "precondition_required", "If-Match with the head's chain is required"


class _RetryLater(RelayError):
    """An error that says when to come back, in whole seconds."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__()
        self.retry_after_seconds = retry_after_seconds

    @property
    def headers(self) -> dict[str, str]:
        """Return `Retry-After`."""
        return {"Retry-After": str(self.retry_after_seconds)}


class RateLimited(_RetryLater):
    """Too many requests."""

    status, code, title = 429, "rate_limited", "Too many requests"


class Internal(RelayError):
    """A defect of the relay; `id` is to be looked up in its log."""

    status, code, title = 500, "internal", "The relay failed"

    def __init__(self, id: str) -> None:  # noqa: A002 -- the member's name on the wire
        super().__init__(id=id)


class Unavailable(_RetryLater):
    """A store is unavailable or contended; safe to retry."""

    status, code, title = 503, "unavailable", "The relay is unavailable for now"


class QuotaExceeded(RelayError):
    """What would grow the vault past `quota`, a name in `/config`'s limits, is refused."""

    status, code, title = 507, "quota_exceeded", "The vault's quota is used up"

    def __init__(self, quota: str, limit: int) -> None:
        super().__init__(quota=quota, limit=limit)


def all_errors() -> list[type[RelayError]]:
    """Return every error class that has a code, in the order of §6's table."""
    found: list[type[RelayError]] = []
    pending: list[type[RelayError]] = [RelayError]
    while pending:
        kind = pending.pop(0)
        pending += kind.__subclasses__()
        if hasattr(kind, "code"):
            found.append(kind)
    return sorted(found, key=lambda kind: kind.status)
