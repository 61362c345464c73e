"""Letters: how a device comes back that missed a rekey, and a recovery sheet to a vault whose history was pruned.

Beside each snapshot its author leaves a second, small one, of §11's form: it covers nothing, is sealed under the
vault's first key, and holds an invitation for each device that belongs, sealed to that device alone. The relay sees
a snapshot like any other, and keeps it as long as it is among the newest.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from relay_protocol.answers import Snapshot
from relay_protocol.chain import genesis
from relay_protocol.encoding import from_pae, pae
from sync_relay_client.errors import InvitationInvalid, KeyUnknown, SnapshotInvalid
from sync_relay_client.invitation import Invitation
from sync_relay_client.session import VaultSession
from sync_relay_client.snapshot_blob import (
    ContentMeasure,
    Manifest,
    SnapshotContext,
    SnapshotReader,
    measure,
    seal_snapshot,
)

_LABEL = b"sync-relay/letters/v1"
_MAX_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class SealedLetters:
    """The blob, and what it is announced with."""

    context: SnapshotContext
    measure: ContentMeasure
    blob: bytes


def context_of(session: VaultSession) -> SnapshotContext:
    """Return what a vault's letters are announced with, and known by."""
    return SnapshotContext(session.vault_id, genesis(session.vault_id), 0, session.keys[0].key_id)


def are_letters(snapshot: Snapshot, session: VaultSession) -> bool:
    """Whether a snapshot is announced as letters are."""
    context = context_of(session)
    return snapshot.size <= 2 * _MAX_BYTES and (
        snapshot.covers.seq,
        snapshot.key_id,
        snapshot.schema_version,
        snapshot.status,
    ) == (
        context.covers.seq,
        context.key_id,
        context.schema_version,
        "available",
    )


def seal_letters(session: VaultSession, relay_url: str, expires_at: int) -> SealedLetters:
    """Write to each other device that belongs. Raises AuthorKeyUnknown."""
    device, membership = session.device, session.membership
    public_keys = membership.public_keys()
    letters: list[bytes] = []
    for public_key in public_keys:
        if public_key != device.public_key:
            letters += (public_key, session.invite(public_key, relay_url, expires_at).encode())
    content = pae(_LABEL, *letters)
    context = context_of(session)
    manifest = Manifest(device.device_id, measure([content]), 0, tuple(public_keys))
    blob = b"".join(seal_snapshot(context, session.keys[0], device, manifest, [content]))
    return SealedLetters(context, ContentMeasure(len(blob), sha256(blob).digest()), blob)


def open_letter(session: VaultSession, blob: Iterable[bytes]) -> Invitation:
    """Return the invitation that was left for this device, by one whom it knows to belong.

    A recovery sheet that has read nothing of the log knows no one but itself: it takes the word of whoever has the
    vault's first key. Raises SnapshotInvalid, InvitationInvalid, AuthorKeyUnknown, or KeyUnknown without a letter.
    """
    context, device = context_of(session), session.device
    is_sheet = session.head.seq == 0 and session.founder == device.device_id
    reader = SnapshotReader(context, session.keys[0], None if is_sheet else session.trusted_authors(), blob)
    if reader.manifest.content.size > _MAX_BYTES:
        raise SnapshotInvalid("letters are not as long as that")
    try:
        label, *letters = from_pae(b"".join(reader.content()))
        by_key = dict(zip(letters[::2], letters[1::2], strict=True))
    except ValueError:
        raise SnapshotInvalid("the letters have not the form") from None
    if label != _LABEL:
        raise SnapshotInvalid("the letters have not the form")
    if device.public_key not in by_key:
        raise KeyUnknown("nobody left a letter for this device: it needs a new invitation")
    try:
        code = by_key[device.public_key].decode("ascii")
    except UnicodeDecodeError:
        raise InvitationInvalid("the letter is no invitation") from None
    return Invitation.open(code, device)
