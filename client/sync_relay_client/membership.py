"""Who belongs to a vault (§11): the log says it, by admits and rekeys. The relay's own list is not believed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from relay_protocol.devices import is_public_key, thumbprint
from relay_protocol.encoding import from_pae, pae
from sync_relay_client.errors import AuthorKeyUnknown, MembershipInvalid
from sync_relay_client.keys import VaultKey, seal_box

ADMIT = "sync-relay/admit"
REKEY = "sync-relay/rekey"
NOTE = "sync-relay/note"
OWN_OPERATIONS = frozenset({ADMIT, REKEY, NOTE})
OWN_ENTITY = "-"
"""Both `entity` and `entity_id` of the protocol's own operations."""


@dataclass(frozen=True, slots=True)
class Membership:
    """Who belongs after some changeset of the log. `named` are those that the rekey in force names."""

    belonging: frozenset[str]
    named: frozenset[str] = frozenset()
    rekey_seq: int = 0
    """The seq of the rekey in force, 0 if there was none."""
    left: frozenset[str] = frozenset()
    """Those whose belonging a rekey ended."""
    known_keys: Mapping[str, bytes] = field(default_factory=dict)

    def learn(self, public_keys: Iterable[bytes]) -> "Membership":
        """Return the same with these public keys known. To know a device's key is not to let it belong.

        Raises ValueError for a key that `POST /devices` would refuse (§5).
        """
        return replace(self, known_keys={**self.known_keys, **certified(public_keys)})

    def public_key(self, device_id: str) -> bytes:
        """Return a device's public key. Raises AuthorKeyUnknown, or MembershipInvalid if it never belonged."""
        if device_id in self.known_keys:
            return self.known_keys[device_id]
        if device_id in self.belonging:
            raise AuthorKeyUnknown(device_id)
        raise MembershipInvalid("the author does not belong to the vault")

    def public_keys(self) -> list[bytes]:
        """Return the keys of those who belong, in the order of their ids. Raises AuthorKeyUnknown."""
        return [self.public_key(device_id) for device_id in sorted(self.belonging)]

    def admit(self, public_key: bytes) -> "Membership":
        """Return the membership after this key was admitted."""
        admitted = self.learn([public_key])
        device_id = thumbprint(public_key)
        return replace(admitted, belonging=self.belonging | {device_id}, left=self.left - {device_id})

    def rekey(self, seq: int, public_keys: Iterable[bytes]) -> "Membership":
        """Return the membership after a rekey that names these keys. It ends belonging, it never begins one."""
        named = self.belonging & certified(public_keys).keys()
        left = self.left | (self.belonging - named)
        return replace(self, belonging=named, named=named, rekey_seq=seq, left=left)

    def at_snapshot(self, public_keys: Iterable[bytes], rekey_seq: int) -> "Membership":
        """Return the membership that a verified snapshot states; who was admitted since the rekey it does not tell."""
        known = self.learn(public_keys)
        belonging = frozenset(map(thumbprint, public_keys))
        named = belonging if rekey_seq else frozenset()
        return replace(known, belonging=belonging, named=named, rekey_seq=rekey_seq, left=frozenset())


def certified(public_keys: Iterable[bytes]) -> dict[str, bytes]:
    """Return the keys by the device id that certifies each. Raises ValueError for a key that is refused (§5)."""
    keys = {}
    for public_key in public_keys:
        if not is_public_key(public_key):
            raise ValueError("not an Ed25519 key that the protocol takes")
        keys[thumbprint(public_key)] = public_key
    return keys


def admit_payload(public_key: bytes) -> bytes:
    """Return the payload of an admit."""
    return pae(public_key)


def read_admit(payload: bytes) -> bytes:
    """Return the public key that an admit admits. Raises MembershipInvalid."""
    try:
        (public_key,) = from_pae(payload)
    except ValueError:
        raise MembershipInvalid("the admit has not the form") from None
    if not is_public_key(public_key):
        raise MembershipInvalid("the admit's key is refused")
    return public_key


def rekey_payload(key: VaultKey, public_keys: Iterable[bytes]) -> bytes:
    """Return the payload of a rekey: the new vault key, boxed for each device that stays."""
    return pae(*(piece for public_key in public_keys for piece in (public_key, seal_box(public_key, key.secret))))


def read_rekey(payload: bytes) -> dict[bytes, bytes]:
    """Return the boxes of a rekey by public key. Raises MembershipInvalid."""
    try:
        pieces = from_pae(payload)
        boxes = dict(zip(pieces[::2], pieces[1::2], strict=True))
        certified(boxes)
    except ValueError:
        raise MembershipInvalid("the rekey has not the form") from None
    if not boxes or 2 * len(boxes) != len(pieces):
        raise MembershipInvalid("the rekey names no device, or one twice")
    return boxes
