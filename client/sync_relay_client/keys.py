"""A device's key pair, and the vault keys it was given (§1, §11 Keys)."""

import hmac
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256

from nacl.exceptions import CryptoError
from nacl.public import SealedBox
from nacl.signing import SigningKey, VerifyKey
from nacl.utils import random

from relay_protocol.devices import thumbprint
from relay_protocol.encoding import base64url, pae
from sync_relay_client.errors import MembershipInvalid

VAULT_KEY_BYTES = 32
_SHORT_MAC_BYTES = 16


@dataclass(frozen=True)
class DeviceKey:
    """A device's Ed25519 key pair. The signing key never leaves the device."""

    signing_key: SigningKey = field(repr=False)

    @classmethod
    def generate(cls) -> "DeviceKey":
        """Draw a new key pair."""
        return cls(SigningKey.generate())

    @classmethod
    def from_seed(cls, seed: bytes) -> "DeviceKey":
        """Take the key pair of a 32-byte seed. Raises ValueError for another length."""
        return cls(SigningKey(seed))

    @cached_property
    def public_key(self) -> bytes:
        """The public key's 32 bytes."""
        return bytes(self.signing_key.verify_key)

    @cached_property
    def device_id(self) -> str:
        """The RFC 7638 thumbprint of the public key."""
        return thumbprint(self.public_key)

    def sign(self, message: bytes) -> bytes:
        """Return the Ed25519 signature, 64 bytes."""
        return self.signing_key.sign(message).signature

    def open_box(self, box: bytes) -> bytes:
        """Open what `seal_box` sealed to this device. Raises ValueError if it was not, or was changed."""
        try:
            return SealedBox(self.signing_key.to_curve25519_private_key()).decrypt(box)
        except (CryptoError, TypeError, ValueError):
            raise ValueError("the box is not sealed to this device") from None


def seal_box(public_key: bytes, plaintext: bytes) -> bytes:
    """Seal to the X25519 form of an Ed25519 public key: libsodium's `crypto_box_seal`."""
    return SealedBox(VerifyKey(public_key).to_curve25519_public_key()).encrypt(plaintext)


@dataclass(frozen=True)
class VaultKey:
    """A vault key and what is derived from it. Raises ValueError unless the secret has 32 bytes."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != VAULT_KEY_BYTES:
            raise ValueError("a vault key has 32 bytes")

    @classmethod
    def generate(cls) -> "VaultKey":
        """Draw a new vault key."""
        return cls(random(VAULT_KEY_BYTES))

    def sub(self, label: str) -> bytes:
        """Derive the 32-byte subkey of a label."""
        return hmac.digest(self.secret, pae(label), sha256)

    @cached_property
    def aead_key(self) -> bytes:
        """What envelopes and snapshots are sealed under."""
        return self.sub("sync-relay/key/aead/v1")

    @cached_property
    def blind_key(self) -> bytes:
        """What names are blinded with."""
        return self.sub("sync-relay/key/blind/v1")

    @cached_property
    def key_id(self) -> str:
        """The name of the key, which the relay sees."""
        return base64url(self.sub("sync-relay/key/id/v1")[:_SHORT_MAC_BYTES])

    def blind(self, field_name: str, changeset_id: str, value: str) -> str:
        """Return what the relay sees of a name: another text in each changeset."""
        mac = hmac.digest(self.blind_key, pae(field_name, changeset_id, value), sha256)
        return base64url(mac[:_SHORT_MAC_BYTES])


@dataclass(frozen=True)
class Keyring:
    """Every vault key that this device holds, from the oldest to the newest: the n-th rekey brought `keys[n]`.

    `in_force` counts the rekeys seen so far. An invitation hands out all keys, so while a newcomer reads the
    history the ring is ahead of it; a device that was rotated out falls behind and never holds `keys[in_force]`.
    """

    keys: tuple[VaultKey, ...]
    in_force: int = 0

    @property
    def newest(self) -> VaultKey:
        """The key to seal under."""
        return self.keys[-1]

    def find(self, key_id: str) -> VaultKey | None:
        """Return the key of this name, None if this device does not hold it."""
        return next((key for key in self.keys if key.key_id == key_id), None)

    def is_older(self, key: VaultKey) -> bool:
        """Whether a rekey has replaced the key."""
        return self.keys.index(key) < self.in_force

    def rotate(self, key: VaultKey | None) -> "Keyring":
        """Return the ring after one more rekey; `key` is None where it gave this device none.

        Raises MembershipInvalid if the key was in the ring at another place, or another key at this one.
        """
        place = self.in_force + 1
        if key is None:
            return Keyring(self.keys, place)
        keys = self.keys if place < len(self.keys) else (*self.keys, key)
        if key not in keys or keys.index(key) != place:
            raise MembershipInvalid("the rekey brings a key that is not the vault's next")
        return Keyring(keys, place)

    def at(self, key: VaultKey) -> "Keyring":
        """Return the ring as it is where this key, one of the ring's, is in force."""
        return Keyring(self.keys, self.keys.index(key))
