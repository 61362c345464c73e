"""The envelope (§11): a change is blinded, signed, padded and sealed, and all of it undone and checked again."""

from dataclasses import dataclass, field, fields
from typing import Any

from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_ABYTES,
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
    crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
)
from nacl.exceptions import CryptoError
from nacl.utils import random

from relay_protocol.chain import Head
from relay_protocol.changeset import Changeset
from relay_protocol.devices import SIGNATURE_BYTES, verifies
from relay_protocol.encoding import base64url, from_base64url, from_pae, pae
from relay_protocol.sealed import Sealed
from sync_relay_client.errors import AuthorInvalid, EnvelopeInvalid, NameMismatch
from sync_relay_client.keys import DeviceKey, VaultKey
from sync_relay_client.padding import pad, unpad

NONCE_BYTES = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
CHAIN_BYTES = 32
BLINDED_TIMESTAMP = "-"

_BLINDED_NAMES = ("origin_user", "operation_type", "entity", "entity_id")
_SEQ_DIGITS = 19
_MEMBERS_BYTES = 640
"""The JSON of all members but the ciphertext, at most: names of 22 characters, ids, and what JSON puts around them."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a user did, readable. Its timestamp is the author's own and orders nothing."""

    origin_user: str
    timestamp: str
    operation_type: str
    entity: str
    entity_id: str
    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Envelope:
    """A sealed change as it crosses the wire: a changeset (§3)."""

    id: str
    origin_device: str
    origin_user: str
    timestamp: str
    operation_type: str
    entity: str
    entity_id: str
    schema_version: int
    key_id: str
    nonce: str = field(repr=False)
    ciphertext: str = field(repr=False)

    def members(self) -> dict[str, Any]:
        """Return the changeset as a JSON object's members."""
        return {name: getattr(self, name) for name in _MEMBERS}

    def digest(self, vault_id: str) -> bytes:
        """Return what the chain is made of (§3)."""
        sealed = {"nonce": Sealed(self.nonce), "ciphertext": Sealed(self.ciphertext)}
        return Changeset.model_construct(**(self.members() | sealed)).digest(vault_id)

    def associated_data(self, vault_id: str) -> bytes:
        """Return what the seal binds besides the content: all that the relay sees of it."""
        return pae(
            "sync-relay/envelope/v1",
            vault_id,
            self.id,
            self.origin_device,
            self.origin_user,
            self.timestamp,
            self.operation_type,
            self.entity,
            self.entity_id,
            self.schema_version,
            self.key_id,
        )


_MEMBERS = tuple(one.name for one in fields(Envelope))


@dataclass(frozen=True, slots=True)
class Draft:
    """A change on its way into an envelope: what `seal` needs besides the keys.

    `witness` is the head that the author has verified. With `in_clear` the relay reads the four names and the
    timestamp: say so to the user.
    """

    vault_id: str
    id: str
    schema_version: int
    change: Change
    witness: Head
    in_clear: bool = False


def seal(draft: Draft, device: DeviceKey, key: VaultKey, nonce: bytes | None = None) -> Envelope:
    """Blind, sign, pad and seal a change. A given nonce is for test vectors: it MUST never come twice under a key.

    Raises ValueError (UnicodeEncodeError) where a name has a lone surrogate.
    """
    change = draft.change
    bare = Envelope(
        id=draft.id,
        origin_device=device.device_id,
        schema_version=draft.schema_version,
        key_id=key.key_id,
        nonce="",
        ciphertext="",
        **(_clear(change) if draft.in_clear else _blinded(change, draft.id, key)),
    )
    aad = bare.associated_data(draft.vault_id)
    body = _body(change, draft.witness)
    signature = device.sign(_signed(aad, body))
    nonce = random(NONCE_BYTES) if nonce is None else nonce
    sealed = crypto_aead_xchacha20poly1305_ietf_encrypt(pad(pae(body, signature)), aad, nonce, key.aead_key)
    return Envelope(**(bare.members() | {"nonce": base64url(nonce), "ciphertext": base64url(sealed)}))


@dataclass(frozen=True, slots=True)
class Unsealed:
    """An opened envelope. Believe nothing of it before `check_author` and `check_names` have passed."""

    envelope: Envelope
    change: Change
    witness: Head
    _signed_message: bytes = field(repr=False)
    _signature: bytes = field(repr=False)

    def check_author(self, public_key: bytes) -> None:
        """Raise AuthorInvalid unless the key, which `origin_device` certifies, signed the change."""
        if not verifies(public_key, self._signed_message, self._signature):
            raise AuthorInvalid("the author's signature does not verify")

    def check_names(self, key: VaultKey) -> None:
        """Raise NameMismatch unless the names outside are the blinded ones, all, or the true ones, all."""
        envelope = self.envelope
        outside = {name: getattr(envelope, name) for name in (*_BLINDED_NAMES, "timestamp")}
        if outside not in (_blinded(self.change, envelope.id, key), _clear(self.change)):
            raise NameMismatch("the names outside are not those that were signed")


def unseal(envelope: Envelope, vault_id: str, key: VaultKey) -> Unsealed:
    """Open the seal and read what is in it. Raises EnvelopeInvalid."""
    aad = envelope.associated_data(vault_id)
    try:
        padded = crypto_aead_xchacha20poly1305_ietf_decrypt(
            from_base64url(envelope.ciphertext), aad, from_base64url(envelope.nonce), key.aead_key
        )
    except (CryptoError, TypeError, ValueError):
        raise EnvelopeInvalid("the envelope is not authentic under its key") from None
    try:
        body, signature = from_pae(unpad(padded))
        change, witness = _read_body(body)
    except ValueError:
        raise EnvelopeInvalid("the envelope's content has not the form") from None
    return Unsealed(envelope, change, witness, _signed(aad, body), signature)


def envelope_bytes(change: Change) -> int:
    """Return how many bytes of JSON a blinded envelope of this change is at most. Raises ValueError as `seal` does."""
    body = _body(change, Head(10**_SEQ_DIGITS - 1, bytes(CHAIN_BYTES)))
    sealed = len(pad(pae(body, bytes(SIGNATURE_BYTES)))) + crypto_aead_xchacha20poly1305_ietf_ABYTES
    return -(-sealed * 4 // 3) + _MEMBERS_BYTES


def seq_of(text: bytes) -> int:
    """Read a seq as PAE carries it: ASCII decimal text, no sign, no leading zero. Raises ValueError."""
    if not text.isdigit() or len(text) > _SEQ_DIGITS or str(int(text)).encode() != text:
        raise ValueError("not a seq")
    return int(text)


def _signed(aad: bytes, body: bytes) -> bytes:
    return pae("sync-relay/author/v1", aad, body)


def _body(change: Change, witness: Head) -> bytes:
    return pae(
        "sync-relay/body/v1",
        change.origin_user,
        change.timestamp,
        change.operation_type,
        change.entity,
        change.entity_id,
        change.payload,
        witness.seq,
        witness.chain,
    )


def _read_body(body: bytes) -> tuple[Change, Head]:
    label, user, timestamp, operation_type, entity, entity_id, payload, seq, chain = from_pae(body)
    if label != b"sync-relay/body/v1" or len(chain) != CHAIN_BYTES:
        raise ValueError("not a body")
    change = Change(
        user.decode(), timestamp.decode(), operation_type.decode(), entity.decode(), entity_id.decode(), payload
    )
    return change, Head(seq_of(seq), chain)


def _blinded(change: Change, changeset_id: str, key: VaultKey) -> dict[str, str]:
    names = {name: key.blind(name, changeset_id, getattr(change, name)) for name in _BLINDED_NAMES}
    return names | {"timestamp": BLINDED_TIMESTAMP}


def _clear(change: Change) -> dict[str, str]:
    return {name: getattr(change, name) for name in (*_BLINDED_NAMES, "timestamp")}
