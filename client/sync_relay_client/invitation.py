"""The invitation (§11): what a member hands a new device, out of band, sealed to it alone."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from relay_protocol.chain import Head
from relay_protocol.devices import endorsement_message, verifies
from relay_protocol.encoding import base64url, from_base64url, from_pae, is_thumbprint, is_uuid, pae, parse_json
from relay_protocol.requests import Endorsement
from sync_relay_client.address import RelayAddress
from sync_relay_client.envelope import CHAIN_BYTES, seq_of
from sync_relay_client.errors import InvitationInvalid
from sync_relay_client.keys import DeviceKey, VaultKey, seal_box
from sync_relay_client.membership import certified

K = TypeVar("K", VaultKey, bytes)

_LABEL = b"sync-relay/invitation/v1"


@dataclass(frozen=True, slots=True)
class Invitation:
    """All that a new device needs. `head` is the inviter's verified one, `public_keys` those of who belongs."""

    relay_url: str
    vault_id: str
    epoch: str
    founder: str
    head: Head
    endorsement: Endorsement
    vault_keys: tuple[VaultKey, ...] = field(repr=False)
    public_keys: tuple[bytes, ...]

    def seal_for(self, public_key: bytes) -> str:
        """Return the code to hand over: base64url, useless to any other device."""
        return base64url(seal_box(public_key, self.encode()))

    def encode(self) -> bytes:
        """Return what is sealed."""
        return pae(
            _LABEL,
            self.relay_url,
            self.vault_id,
            self.epoch,
            self.founder,
            self.head.seq,
            self.head.chain,
            json.dumps(self.endorsement.model_dump(), separators=(",", ":")),
            pae(*(key.secret for key in self.vault_keys)),
            pae(*self.public_keys),
        )

    @classmethod
    def open(cls, code: str, device: DeviceKey) -> "Invitation":
        """Open a code with the key of the device it is for. Raises InvitationInvalid.

        The endorsement is checked: it is this device's, for this vault, by one whom the invitation names.
        Whether it has expired the relay will tell.
        """
        try:
            invitation = _decode(device.open_box(from_base64url(code.strip())))
        except ValueError:
            raise InvitationInvalid("the invitation is not for this device, or has not the form") from None
        endorsement = invitation.endorsement
        endorser = certified(invitation.public_keys).get(endorsement.endorser)
        message = endorsement_message(invitation.vault_id, device.device_id, endorsement.expires_at)
        if endorser is None or not verifies(endorser, message, from_base64url(endorsement.signature)):
            raise InvitationInvalid("the invitation's endorsement is not by one who belongs, or not for this device")
        return invitation


def request_code(device: DeviceKey) -> str:
    """Return what a new device shows to be invited: its public key, base64url."""
    return base64url(device.public_key)


def read_request(code: str) -> bytes:
    """Return the public key that a new device shows. Raises InvitationInvalid."""
    try:
        public_key = from_base64url(code.strip())
        certified([public_key])
    except ValueError:
        raise InvitationInvalid("the request is not a device's public key") from None
    return public_key


def _decode(plaintext: bytes) -> Invitation:
    """Read an invitation. Raises ValueError if anything has not its form."""
    label, url, vault_id, epoch, founder, seq, chain, endorsement, vault_keys, public_keys = from_pae(plaintext)
    if label != _LABEL or len(chain) != CHAIN_BYTES:
        raise ValueError("not an invitation")
    return Invitation(
        relay_url=str(RelayAddress.parse(url.decode())),
        vault_id=_formed(vault_id, is_uuid),
        epoch=_formed(epoch, is_uuid),
        founder=_formed(founder, is_thumbprint),
        head=Head(seq_of(seq), chain),
        endorsement=Endorsement.model_validate(parse_json(endorsement), extra="ignore"),
        vault_keys=_distinct([VaultKey(secret) for secret in from_pae(vault_keys)]),
        public_keys=_distinct(_certified(from_pae(public_keys))),
    )


def _certified(public_keys: list[bytes]) -> list[bytes]:
    certified(public_keys)
    return public_keys


def _formed(text: bytes, has_form: Callable[[str], bool]) -> str:
    decoded = text.decode()
    if not has_form(decoded):
        raise ValueError("not of the form")
    return decoded


def _distinct(keys: list[K]) -> tuple[K, ...]:
    if not keys or len(set(keys)) != len(keys):
        raise ValueError("no key, or one twice")
    return tuple(keys)
