"""Who sent a request: the signature (§4), then the device's standing in the vault."""

from contextlib import suppress

from relay.http.request import Request
from relay.ports import Standing
from relay.service import Relay
from relay_protocol.devices import thumbprint
from relay_protocol.errors import DeviceRevoked, RelayError, SignatureInvalid, UnknownDevice, VaultNotFound
from relay_protocol.signing import Claim


def authenticate(relay: Relay, request: Request) -> str:
    """Return the id of the device that signed the request; where the path names a vault, a member of it.

    Raises SignatureRequired, SignatureInvalid, UnknownDevice, SignatureExpired or DigestMismatch, in §4's order; then
    DeviceRevoked or VaultNotFound. A vault that is not there and one that the device is not in look alike.
    """
    claim = request.claim
    claim.check_rules(request.message)
    signer = request.lookup.result(relay.log, claim.device_id, request.vault_id)
    if signer is None:
        raise UnknownDevice
    _verify(relay, request, claim, signer.public_key)
    if request.vault_id is not None and signer.standing is not Standing.MEMBER:
        raise DeviceRevoked if signer.standing is Standing.REVOKED else VaultNotFound
    return claim.device_id


def look_ahead(relay: Relay, request: Request) -> None:
    """Look up who claims to have signed a request about a vault, before `authenticate` needs it. Raises nothing."""
    if request.vault_id is None:
        return
    with suppress(RelayError):  # what is wrong with the claim, `authenticate` tells
        request.claim.check_rules(request.message)
        request.lookup.ahead(relay.log, request.claim.device_id, request.vault_id)


def check_self_signed(relay: Relay, request: Request, claim: Claim, public_key: bytes) -> None:
    """Check that a registration is signed by the key it registers (§5). Raises as `authenticate` does."""
    claim.check_rules(request.message)
    if claim.device_id != thumbprint(public_key):
        raise SignatureInvalid
    _verify(relay, request, claim, public_key)


def _verify(relay: Relay, request: Request, claim: Claim, public_key: bytes) -> None:
    now_seconds = relay.clock.now_us() // 1_000_000
    claim.verify(request.message, public_key, now_seconds, relay.settings.limits.clock_skew_seconds)
