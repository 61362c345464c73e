"""What can go wrong for a device, as one tree. After any of these, nothing that an object holds has changed.

(But one thing: after ReceiptBroken no receipt is believed any more, and what was acknowledged is sent again.)

    SyncRelayError
    ├── RelayUnreachable         no answer: refused, timed out, cut short
    ├── RelayRefused             the relay answered with an error (§6)
    ├── AnswerInvalid            an answer, or a downloaded blob, is not what was asked for
    ├── EpochChanged             the relay's store was restored: stop and ask
    ├── HistoryInvalid           the log is not the one that was written
    │   ├── SequenceGap          a changeset is missing, doubled or out of order
    │   ├── ChainBroken          a changeset was dropped, changed, reordered or inserted
    │   ├── RolledBack           the log lacks a head that was verified, or that the invitation names
    │   ├── ReceiptBroken        the log lacks a changeset that the relay acknowledged: it is sent again
    │   └── ForkDetected         two devices were shown two histories
    ├── ChangesetInvalid         a changeset is in the log and breaks §11
    │   ├── EnvelopeInvalid      it can't be opened, or what is in it has not the form
    │   │   └── KeyUnknown       it is sealed under a vault key that this device was not given
    │   ├── AuthorInvalid        it is not signed by the device that it names
    │   │   └── AuthorKeyUnknown the author's public key must be learnt first (from the roster)
    │   ├── NameMismatch         the names that the relay saw are not those that were signed
    │   ├── MembershipInvalid    the author does not belong, or an admit or rekey has not the form
    │   │   └── RotatedOut       a rekey ended what its author was allowed
    │   ├── IdRepeated           its id was in the log before
    │   └── WitnessInvalid       it claims to have seen what can't have been there yet
    ├── InvitationInvalid        a request or an invitation can't be opened, or has not the form
    ├── SnapshotInvalid          a snapshot is cut short, changed, or not of the form
    │   └── SnapshotAuthorUnknown it is not by one whom this device has reason to trust
    ├── ChangeTooLarge           a change that no push can carry
    ├── NotCaughtUp              what was pulled must be applied first, what was recorded sent
    ├── RecoveryWordsInvalid     a recovery sheet was mistyped
    └── ProfileError             the device's own folder can't be used, or its keyring does not answer
        ├── ProfileMissing       there is none, or it is in no vault yet
        ├── ProfileTaken         it is in a vault already
        ├── ProfileUnsafe        others can read it, or it belongs to another user
        ├── ProfileBroken        it is not what this code wrote
        └── ProfileUnavailable   its file is locked, full or damaged

A caller's own mistakes (an id that is no UUID, a key of the wrong length) are ValueError. No message holds a
key, a payload or a name.
"""

from collections.abc import Mapping
from typing import Any


class SyncRelayError(Exception):
    """The root of the tree."""


class RelayUnreachable(SyncRelayError):
    """There was no answer. What was asked may have happened: asking again is safe (§4).

    `attempts` is how often it was tried before giving up.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.attempts = 1

    def __str__(self) -> str:
        return f"no answer from the relay ({self.args[0]}); tried {self.attempts} times"


class RelayRefused(SyncRelayError):
    """The relay, or what stands before it, answered with an error.

    `code` is the stable one of §6, or None where the answer was no problem object of the protocol, or its code is no
    such word. `members` are the members that the code carries, as they came: judge them before use. `attempts` is how
    often it was asked before giving up.
    """

    def __init__(
        self, status: int, code: str | None, members: Mapping[str, Any], retry_after_seconds: int | None = None
    ) -> None:
        super().__init__(status, code)
        self.status = status
        self.code = code
        self.members = members
        self.retry_after_seconds = retry_after_seconds
        self.attempts = 1

    def __str__(self) -> str:
        tried = f"; tried {self.attempts} times" if self.attempts > 1 else ""
        return f"the relay refused: {self.status} {self.code or 'without a code'}{tried}"


class AnswerInvalid(SyncRelayError):
    """An answer has not the shape of §7, contradicts the request or itself, or is too large."""


class EpochChanged(SyncRelayError):
    """The relay's store is of another epoch: acknowledged changesets may be missing (§1). Stop and ask."""

    def __init__(self, known: str, found: str) -> None:
        super().__init__(f"the vault's epoch was {known}, the relay answers with {found}")
        self.known = known
        self.found = found


class _AtSeq(SyncRelayError):
    """An error about one place in the log; `seq` is None only where a changeset is judged outside of a log."""

    def __init__(self, message: str, seq: int | None = None) -> None:
        super().__init__(message)
        self.seq = seq


class HistoryInvalid(_AtSeq):
    """The relay shows a log that is not the one that was written."""


class SequenceGap(HistoryInvalid):
    """A page does not go on where the verified head is, without gaps."""


class ChainBroken(HistoryInvalid):
    """The recomputed chain is not the relay's."""


class RolledBack(HistoryInvalid):
    """The history does not contain a head that this device verified, or that its invitation names."""


class ReceiptBroken(HistoryInvalid):
    """The relay acknowledged a changeset at this seq, and shows another there, or none. It is to be sent again."""


class ForkDetected(HistoryInvalid):
    """The author had verified another chain than this device at the same seq."""


class ChangesetInvalid(_AtSeq):
    """A changeset in the log breaks a rule of §11."""


class EnvelopeInvalid(ChangesetInvalid):
    """Not authentic under its key, or not of the envelope's form."""


class KeyUnknown(EnvelopeInvalid):
    """Sealed under a vault key that is not in this device's keyring."""


class AuthorInvalid(ChangesetInvalid):
    """The author's signature does not verify."""


class AuthorKeyUnknown(AuthorInvalid):
    """The public key of `device_id` is not known: learn it from the roster, its id certifies it."""

    def __init__(self, device_id: str) -> None:
        super().__init__("the author's public key is not known")
        self.device_id = device_id


class NameMismatch(ChangesetInvalid):
    """The names on the outside are neither the blinded nor the true ones."""


class MembershipInvalid(ChangesetInvalid):
    """The author does not belong to the vault, or an admit or rekey has not the form."""


class RotatedOut(MembershipInvalid):
    """`device_id` may no longer write: the rekey in force does not name it."""

    def __init__(self, device_id: str) -> None:
        super().__init__("the rekey in force does not name the device")
        self.device_id = device_id


class IdRepeated(ChangesetInvalid):
    """The changeset's id was in the log before."""


class WitnessInvalid(ChangesetInvalid):
    """The witness does not lie before the changeset."""


class InvitationInvalid(SyncRelayError):
    """An invitation is not for this device, was changed, or has not the form."""


class SnapshotInvalid(SyncRelayError):
    """A snapshot's blob is cut short, changed, or not of §11's form."""


class SnapshotAuthorUnknown(SnapshotInvalid):
    """A snapshot is by one of whom neither the verified log nor the invitation says that they belong."""


class ChangeTooLarge(SyncRelayError):
    """Sealed, the change is larger than a request may be: `limit_bytes` is the relay's `max_body_bytes`.

    `changeset_id` is which one, where it is recorded already: nothing behind it is sent until it is taken back.
    """

    def __init__(self, limit_bytes: int, changeset_id: str | None = None) -> None:
        super().__init__(f"the change does not fit into a request of {limit_bytes} bytes")
        self.limit_bytes = limit_bytes
        self.changeset_id = changeset_id


class NotCaughtUp(SyncRelayError):
    """Something must be applied, sent or pulled before: a snapshot is of what the log says, no more and no less."""


class RecoveryWordsInvalid(SyncRelayError):
    """The words are no recovery sheet. `position` is the wrong word's, from 1, where one is known to be wrong."""

    def __init__(self, message: str, position: int | None = None) -> None:
        super().__init__(message)
        self.position = position


class ProfileError(SyncRelayError):
    """The device's own folder can't be used, or the OS keyring that holds its key does not answer."""


class ProfileMissing(ProfileError):
    """There is no profile here, or its device is in no vault yet."""


class ProfileTaken(ProfileError):
    """The profile's device is in a vault already, or about to be."""


class ProfileUnsafe(ProfileError):
    """Others can read the profile, or it belongs to another user. Nothing was read."""


class ProfileBroken(ProfileError):
    """The profile does not hold what it should, or its key is not the one that it was written with."""


class ProfileUnavailable(ProfileError):
    """The profile's file can't be used now: locked by another process, the disk full, or damaged."""
