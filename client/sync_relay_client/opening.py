"""Opening a pulled changeset (§11): every check, in order, each raising an exception of its own."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from relay_protocol.chain import Head
from sync_relay_client.envelope import Change, Envelope, unseal
from sync_relay_client.errors import (
    ChangesetInvalid,
    ForkDetected,
    KeyUnknown,
    MembershipInvalid,
    RolledBack,
    RotatedOut,
    WitnessInvalid,
)
from sync_relay_client.history import Tail
from sync_relay_client.keys import DeviceKey, Keyring, VaultKey
from sync_relay_client.membership import ADMIT, OWN_ENTITY, OWN_OPERATIONS, REKEY, Membership, read_admit, read_rekey


@dataclass(frozen=True, slots=True)
class PulledEnvelope:
    """A sealed change with the place that the relay says it has."""

    seq: int
    received_at: str
    chain: bytes
    envelope: Envelope


@dataclass(frozen=True, slots=True)
class OpenedChange:
    """A change that passed every check. `author` is the device that signed it."""

    seq: int
    received_at: str
    id: str
    author: str
    schema_version: int
    change: Change
    witness: Head

    @property
    def is_own_operation(self) -> bool:
        """Whether it is one of the protocol's own operations, and nothing for the application."""
        return self.change.operation_type in OWN_OPERATIONS


@dataclass(frozen=True, slots=True)
class Trust:
    """What decides whether a changeset is believed: this device, the vault's keys, and who belongs.

    `anchor` is the head that the invitation names; None once the history was seen to contain it.
    """

    device: DeviceKey
    keyring: Keyring
    membership: Membership
    anchor: Head | None = None


def open_all(
    tail: Tail, trust: Trust, pulled: Sequence[PulledEnvelope], pass_over: Collection[int] = ()
) -> tuple[list[OpenedChange], Trust]:
    """Open changesets that follow the tail's head; return them and what is to be trusted after them.

    `pass_over` are seqs at which a RotatedOut is not raised: the changeset is left out, and the chain goes on.
    Raises any HistoryInvalid or ChangesetInvalid, with its `seq`.
    """
    opened = []
    for one in pulled:
        tail.link(one.seq, one.envelope.digest(tail.vault_id), one.chain)
        trust = _check_anchor(trust, tail.head)
        try:
            change = _open(tail, trust, one)
            trust = _apply(trust, change)
        except ChangesetInvalid as error:
            error.seq = one.seq
            if not isinstance(error, RotatedOut) or one.seq not in pass_over:
                raise
        else:
            opened.append(change)
    return opened, trust


def _check_anchor(trust: Trust, head: Head) -> Trust:
    if trust.anchor is None or head.seq != trust.anchor.seq:
        return trust
    if head.chain != trust.anchor.chain:
        raise RolledBack("the history is not the one that the invitation names", head.seq)
    return replace(trust, anchor=None)


def _open(tail: Tail, trust: Trust, pulled: PulledEnvelope) -> OpenedChange:
    envelope, author = pulled.envelope, pulled.envelope.origin_device
    membership = trust.membership
    # The id is taken even where the changeset is passed over.
    tail.add_id(envelope.id)
    key = _key_of(envelope, trust)
    unsealed = unseal(envelope, tail.vault_id, key)
    unsealed.check_author(membership.public_key(author))
    unsealed.check_names(key)
    if author not in membership.belonging:
        raise MembershipInvalid("the author does not belong to the vault")
    _check_witness(tail, pulled.seq, unsealed.witness)
    return OpenedChange(
        seq=pulled.seq,
        received_at=pulled.received_at,
        id=envelope.id,
        author=author,
        schema_version=envelope.schema_version,
        change=unsealed.change,
        witness=unsealed.witness,
    )


def _key_of(envelope: Envelope, trust: Trust) -> VaultKey:
    """Return the key it is sealed under. Raises RotatedOut before the seal is touched, or KeyUnknown.

    What a device that was rotated out writes under an old key is thereby left out whatever is in it.
    """
    key = trust.keyring.find(envelope.key_id)
    if key is None:
        if trust.device.device_id in trust.membership.left:
            raise KeyUnknown("a rekey gave this device no key")
        raise KeyUnknown("the vault key is not known")
    if trust.keyring.is_older(key) and envelope.origin_device not in trust.membership.named:
        raise RotatedOut(envelope.origin_device)
    return key


def _check_witness(tail: Tail, seq: int, witness: Head) -> None:
    if witness.seq >= seq:
        raise WitnessInvalid("the witness does not lie before the changeset")
    known = tail.chain_at(witness.seq)
    if known is not None and known != witness.chain:
        raise ForkDetected("the author verified another history", seq)


def _apply(trust: Trust, opened: OpenedChange) -> Trust:
    """Return what is to be trusted after the change: an admit and a rekey alter it."""
    change = opened.change
    if change.operation_type not in (ADMIT, REKEY):
        return trust
    if (change.entity, change.entity_id) != (OWN_ENTITY, OWN_ENTITY):
        raise MembershipInvalid("an admit or rekey of an entity")
    if change.operation_type == ADMIT:
        return replace(trust, membership=trust.membership.admit(read_admit(change.payload)))
    boxes = read_rekey(change.payload)
    return replace(
        trust,
        keyring=trust.keyring.rotate(_boxed_key(trust.device, boxes)),
        membership=trust.membership.rekey(opened.seq, boxes),
    )


def _boxed_key(device: DeviceKey, boxes: dict[bytes, bytes]) -> VaultKey | None:
    """Return the vault key that a rekey brings this device, None if it brings it none. Raises MembershipInvalid."""
    if device.public_key not in boxes:
        return None
    try:
        return VaultKey(device.open_box(boxes[device.public_key]))
    except ValueError:
        raise MembershipInvalid("the rekey's box for this device does not hold a key") from None
