"""Devices and their keys: thumbprints, which public keys are taken, endorsements (§1, §5)."""

from hashlib import sha256

from nacl.bindings import crypto_core_ed25519_is_valid_point
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from relay_protocol.encoding import base64url, pae

PUBLIC_KEY_BYTES = 32
SIGNATURE_BYTES = 64


def thumbprint(public_key: bytes) -> str:
    """Return the device id of an Ed25519 key: its JWK thumbprint, SHA-256, base64url (RFC 7638, RFC 8037 §2)."""
    jwk = f'{{"crv":"Ed25519","kty":"OKP","x":"{base64url(public_key)}"}}'
    return base64url(sha256(jwk.encode("ascii")).digest())


def is_public_key(key: bytes) -> bool:
    """Whether the key is the canonical encoding of a point of the prime-order subgroup, the identity excluded."""
    return len(key) == PUBLIC_KEY_BYTES and crypto_core_ed25519_is_valid_point(key)


def verifies(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether this is the key's Ed25519 signature of the message (RFC 8032; S >= L is refused)."""
    if len(signature) != SIGNATURE_BYTES:
        return False
    try:
        VerifyKey(public_key).verify(message, signature)
    except BadSignatureError:
        return False
    return True


def endorsement_message(vault_id: str, device_id: str, expires_at: int) -> bytes:
    """Return what a member signs to let a device join a vault until `expires_at`, in Unix seconds (§5)."""
    return pae("sync-relay/endorsement/v1", vault_id, device_id, expires_at)


def endorse(key: SigningKey, vault_id: str, device_id: str, expires_at: int) -> dict[str, str | int]:
    """Make an endorsement as `POST /devices` takes it."""
    signature = key.sign(endorsement_message(vault_id, device_id, expires_at)).signature
    return {
        "endorser": thumbprint(bytes(key.verify_key)),
        "expires_at": expires_at,
        "signature": base64url(signature),
    }
