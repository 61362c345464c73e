"""What a device holds of a vault, in memory, and how it grows: only by what was verified (§11)."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from uuid import uuid4

from relay_protocol.answers import Snapshot
from relay_protocol.chain import Head
from relay_protocol.devices import endorse
from relay_protocol.encoding import from_base64url
from relay_protocol.requests import Endorsement
from sync_relay_client.answers import Page
from sync_relay_client.envelope import Change, Draft, Envelope, seal
from sync_relay_client.errors import ChainBroken, EpochChanged, InvitationInvalid, KeyUnknown, RolledBack, RotatedOut
from sync_relay_client.history import History, MemoryHistory, Tail
from sync_relay_client.invitation import Invitation
from sync_relay_client.keys import DeviceKey, Keyring, VaultKey
from sync_relay_client.membership import (
    ADMIT,
    OWN_ENTITY,
    REKEY,
    Membership,
    admit_payload,
    certified,
    rekey_payload,
)
from sync_relay_client.opening import OpenedChange, Trust, open_all
from sync_relay_client.snapshot_blob import (
    ContentMeasure,
    Manifest,
    SnapshotContext,
    SnapshotReader,
    seal_snapshot,
)


class VaultSession:
    """One device's verified view of one vault. Not for several threads at once.

    The history is kept in memory, unless another is given.

    What it seals counts once it was pulled back and verified, like anyone's. Every method that raises leaves
    the session as it was.
    """

    def __init__(
        self,
        vault_id: str,
        epoch: str,
        trust: Trust,
        founder: str,
        named_by_invitation: frozenset[str] = frozenset(),
        history: History | None = None,
    ) -> None:
        self.vault_id = vault_id
        self.epoch = epoch
        self.founder = founder
        self.named_by_invitation = named_by_invitation
        self._history = history or MemoryHistory(vault_id)
        self._trust = trust

    @classmethod
    def found(cls, device: DeviceKey, vault_id: str, epoch: str, key: VaultKey | None = None) -> "VaultSession":
        """Begin as the founder of a vault that was just registered; the vault key is drawn unless given."""
        keyring = Keyring((key or VaultKey.generate(),))
        membership = Membership(frozenset({device.device_id})).learn([device.public_key])
        return cls(vault_id, epoch, Trust(device, keyring, membership), device.device_id)

    @classmethod
    def join(cls, device: DeviceKey, invitation: Invitation) -> "VaultSession":
        """Begin as an invited device: at the log's start, or next with `open_snapshot` and `start_at`."""
        known = (*invitation.public_keys, device.public_key)
        membership = Membership(frozenset({invitation.founder})).learn(known)
        anchor = invitation.head if invitation.head.seq > 0 else None
        trust = Trust(device, Keyring(invitation.vault_keys), membership, anchor)
        named = frozenset(certified(invitation.public_keys))
        return cls(invitation.vault_id, invitation.epoch, trust, invitation.founder, named)

    def rejoin(self, invitation: Invitation) -> "VaultSession":
        """Return the session with the keys and members of a new invitation to the vault; what was verified stays.

        So a device comes back that missed a rekey. Raises EpochChanged, InvitationInvalid if the invitation is not
        for this vault or not with its keys, RolledBack if its head contradicts what was verified.
        """
        self.check_epoch(invitation.epoch)
        known = self.keys
        if (invitation.vault_id, invitation.founder) != (self.vault_id, self.founder) or (
            invitation.vault_keys[: len(known)] != known
        ):
            raise InvitationInvalid("the invitation is not to the vault that this device knows")
        anchor: Head | None = invitation.head
        if invitation.head.seq <= self.head.seq:
            if self._history.chain_at(invitation.head.seq) not in {None, invitation.head.chain}:
                raise RolledBack("the invitation's head contradicts the verified history", invitation.head.seq)
            anchor = None
        trust = replace(
            self._trust,
            keyring=Keyring(invitation.vault_keys, self._trust.keyring.in_force),
            membership=self.membership.learn(invitation.public_keys),
            anchor=anchor,
        )
        named = frozenset(certified(invitation.public_keys))
        return VaultSession(self.vault_id, self.epoch, trust, self.founder, named, self._history)

    @property
    def trust(self) -> Trust:
        """What decides whether a changeset is believed."""
        return self._trust

    @property
    def device(self) -> DeviceKey:
        """This device's key pair."""
        return self._trust.device

    @property
    def head(self) -> Head:
        """The verified head: the witness of what is sealed, and the chain for `If-Match`."""
        return self._history.head

    def chain_at(self, seq: int) -> bytes | None:
        """Return the verified chain at a seq, None where this device did not see it."""
        return self._history.chain_at(seq)

    @property
    def keys(self) -> tuple[VaultKey, ...]:
        """The vault's keys from the oldest to the newest."""
        return self._trust.keyring.keys

    @property
    def membership(self) -> Membership:
        """Who belongs at the verified head."""
        return self._trust.membership

    @property
    def belongs(self) -> bool:
        """Whether this device belongs at the verified head."""
        return self.device.device_id in self.membership.belonging

    def check_epoch(self, epoch: str) -> None:
        """Raise EpochChanged unless an answer is of the epoch that the session began in."""
        if epoch != self.epoch:
            raise EpochChanged(self.epoch, epoch)

    def learn(self, public_keys: Iterable[bytes]) -> None:
        """Take public keys from the relay's roster, for authors who left long ago. Raises ValueError for no key."""
        self._trust = replace(self._trust, membership=self.membership.learn(public_keys))

    # ------------------------------------------------------------ sealing

    def seal(
        self, change: Change, schema_version: int, changeset_id: str | None = None, *, in_clear: bool = False
    ) -> Envelope:
        """Seal a change for a push. Raises RotatedOut, or ValueError for the protocol's own operation types."""
        if change.operation_type in (ADMIT, REKEY):
            raise ValueError("admits and rekeys are made by their own methods")
        return self._seal(change, schema_version, changeset_id, in_clear=in_clear)

    def admit(self, public_key: bytes, *, origin_user: str = "-", timestamp: str = "-") -> Envelope:
        """Seal the admit of a new device: push it, pull it back, then `invite`. Raises RotatedOut or ValueError."""
        certified([public_key])
        return self._seal_own(ADMIT, admit_payload(public_key), origin_user, timestamp)

    def rekey(self, stay: Collection[str], *, origin_user: str = "-", timestamp: str = "-") -> Envelope:
        """Seal a rekey that brings a new vault key to the devices that stay, by id.

        Push it with `If-Match` on the verified head, pull it back, then revoke who left. Raises RotatedOut,
        AuthorKeyUnknown, or ValueError unless all who stay belong and this device is among them.
        """
        self._check_belongs()
        if not set(stay) <= self.membership.belonging or self.device.device_id not in stay:
            raise ValueError("only devices that belong can stay, and this one has to")
        public_keys = [self.membership.public_key(device_id) for device_id in sorted(set(stay))]
        return self._seal_own(REKEY, rekey_payload(VaultKey.generate(), public_keys), origin_user, timestamp)

    def _seal_own(self, operation_type: str, payload: bytes, origin_user: str, timestamp: str) -> Envelope:
        change = Change(origin_user, timestamp, operation_type, OWN_ENTITY, OWN_ENTITY, payload)
        return self._seal(change, schema_version=0)

    def _seal(
        self, change: Change, schema_version: int, changeset_id: str | None = None, *, in_clear: bool = False
    ) -> Envelope:
        self._check_belongs()
        draft = Draft(self.vault_id, changeset_id or str(uuid4()), schema_version, change, self.head, in_clear=in_clear)
        return seal(draft, self.device, self._trust.keyring.newest)

    def _check_belongs(self) -> None:
        """Raise RotatedOut if a rekey ended this device's belonging. A newcomer may not have read its admit yet."""
        if self.device.device_id in self.membership.left:
            raise RotatedOut(self.device.device_id)

    # ------------------------------------------------------------ opening

    def open_page(self, page: Page, *, pass_over: Collection[int] = ()) -> list[OpenedChange]:
        """Verify and open a pulled page, the protocol's own operations too; the verified head moves to its end.

        `pass_over` are seqs of changesets that were refused as RotatedOut before: with the user's consent they
        are left out, and the log goes on. Raises EpochChanged, any HistoryInvalid or any ChangesetInvalid.
        """
        self.check_epoch(page.epoch)
        tail = Tail(self._history)
        opened, trust = open_all(tail, self._trust, page.changesets, pass_over)
        if trust.anchor is not None and page.head.seq < trust.anchor.seq:
            raise RolledBack("the log ends before the head that the invitation names", page.head.seq)
        if page.head.seq == tail.head.seq and page.head.chain != tail.head.chain:
            raise ChainBroken("the relay's head is not the one that was verified", page.head.seq)
        self._history.commit(tail)
        self._trust = trust
        return opened

    # ------------------------------------------------------------ pairing

    def invite(self, public_key: bytes, relay_url: str, expires_at: int) -> str:
        """Return the code for a device whose admit was verified; `expires_at` in Unix seconds, 7 days at most.

        Raises ValueError if the device was not admitted, and AuthorKeyUnknown.
        """
        (device_id,) = certified([public_key])
        if device_id not in self.membership.belonging or not self.belongs:
            raise ValueError("push the admit and pull it back first")
        endorsement = endorse(self.device.signing_key, self.vault_id, device_id, expires_at)
        return Invitation(
            relay_url=relay_url,
            vault_id=self.vault_id,
            epoch=self.epoch,
            founder=self.founder,
            head=self.head,
            endorsement=Endorsement.model_validate(endorsement),
            vault_keys=self.keys,
            public_keys=tuple(self.membership.public_keys()),
        ).seal_for(public_key)

    # ------------------------------------------------------------ snapshots

    def seal_snapshot(
        self, content: Iterable[bytes], measured: ContentMeasure, schema_version: int
    ) -> tuple[SnapshotContext, Iterator[bytes]]:
        """Seal the vault's content at the verified head; return what to announce it with, and the blob's pieces."""
        self._check_belongs()
        key = self._trust.keyring.newest
        context = SnapshotContext(self.vault_id, self.head, schema_version, key.key_id)
        membership = self.membership
        manifest = Manifest(self.device.device_id, measured, membership.rekey_seq, tuple(membership.public_keys()))
        return context, seal_snapshot(context, key, self.device, manifest, content)

    def open_snapshot(self, snapshot: Snapshot, blob: Iterable[bytes]) -> SnapshotReader:
        """Open a snapshot by one who belongs, or whom the invitation names. Raises KeyUnknown or SnapshotInvalid."""
        key = self._trust.keyring.find(snapshot.key_id)
        if key is None:
            raise KeyUnknown("the snapshot is under a key that this device was not given: it needs a new invitation")
        covers = Head(snapshot.covers.seq, from_base64url(snapshot.covers.chain))
        context = SnapshotContext(self.vault_id, covers, snapshot.schema_version, snapshot.key_id)
        return SnapshotReader(context, key, self.trusted_authors(), blob)

    def trusted_authors(self) -> dict[str, bytes]:
        """Return the keys of those whose snapshots are believed, by device id. Raises AuthorKeyUnknown.

        Before its history was seen to contain the invitation's head, a newcomer trusts whom that names.
        """
        membership, trusted = self.membership, self.membership.belonging
        if self._trust.anchor is not None or self.head.seq == 0:
            trusted = self.named_by_invitation or trusted
        return {device_id: membership.public_key(device_id) for device_id in trusted}

    def start_at(self, reader: SnapshotReader) -> None:
        """Go on from a snapshot whose content was read to its end.

        Raises ValueError if it was not, or if the log is verified beyond it already; RolledBack if it
        contradicts the invitation's head.
        """
        covers, anchor = reader.context.covers, self._trust.anchor
        if not reader.is_verified or covers.seq <= self.head.seq:
            raise ValueError("the snapshot was not read to its end, or is behind the verified head")
        if anchor is not None and covers.seq == anchor.seq and covers.chain != anchor.chain:
            raise RolledBack("the snapshot contradicts the head that the invitation names", covers.seq)
        self._trust = replace(
            self._trust,
            keyring=self._trust.keyring.at(reader.key),
            membership=self.membership.at_snapshot(reader.manifest.public_keys, reader.manifest.rekey_seq),
            anchor=anchor if anchor is not None and covers.seq < anchor.seq else None,
        )
        self._history.jump(covers)
