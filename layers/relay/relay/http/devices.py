"""Registration, devices and revocation (§7.2 to §7.4)."""

from relay.core.pairing import Admission, Registration, device, revoke, roster
from relay.http.authentication import authenticate, check_self_signed
from relay.http.fields import bearer_token, json_body
from relay.http.gateway import Endpoint, Endpoints
from relay.http.request import Request
from relay.http.responses import ProxyResponse, json_response, no_content
from relay.ports import Endorsement, Member
from relay.service import Relay
from relay_protocol.encoding import base64url, from_base64url, rfc3339


def answer_register(relay: Relay, request: Request) -> ProxyResponse:
    """Found a vault or join it; 201 for a new member, 200 for one already there."""
    claim = request.claim
    from relay_protocol import requests  # with pydantic, which nothing else here needs

    body = requests.parse(requests.Registration, json_body(request))
    public_key = from_base64url(body.public_key)
    check_self_signed(relay, request, claim, public_key)
    settings = relay.settings
    registration = Registration(
        vault_id=body.vault_id,
        public_key=public_key,
        endorsement=Endorsement(**body.endorsement.model_dump()) if body.endorsement else None,
        bearer=bearer_token(request.headers),
        now_ms=relay.now_ms(),
    )
    admission = Admission(settings.vault_creation, settings.vault_token, settings.limits.max_devices)
    paired = registration.run(relay.log, admission, relay.ids.uuid())
    answer = {
        "device_id": paired.member.device_id,
        "vault_id": body.vault_id,
        "epoch": paired.epoch,
        "public_key": base64url(paired.member.public_key),
        "registered_at": rfc3339(paired.member.registered_at_ms),
        "head": paired.head.as_json(),
    }
    return json_response(201 if paired.created else 200, answer)


def answer_device(relay: Relay, request: Request) -> ProxyResponse:
    """Show a device that the signer may know of."""
    signer_id = authenticate(relay, request)
    found = device(relay.log, signer_id, request.ids["device_id"])
    answer = {
        "device_id": found.device_id,
        "public_key": base64url(found.public_key),
        "algorithm": "ed25519",
        "registered_at": rfc3339(found.registered_at_ms),
    }
    return json_response(200, answer)


def answer_roster(relay: Relay, request: Request) -> ProxyResponse:
    """List the vault's devices."""
    authenticate(relay, request)
    found = roster(relay.log, request.ids["vault_id"])
    return json_response(200, {"epoch": found.epoch, "devices": [_member(one) for one in found.members]})


def answer_revoke(relay: Relay, request: Request) -> ProxyResponse:
    """Revoke a device; 204, and 204 again."""
    authenticate(relay, request)
    revoke(relay.log, request.ids["vault_id"], request.ids["device_id"], relay.now_ms())
    return no_content()


ENDPOINTS: Endpoints = {
    ("/devices", "POST"): Endpoint(answer_register),
    ("/devices/{device_id}", "GET"): Endpoint(answer_device),
    ("/vaults/{vault_id}/devices", "GET"): Endpoint(answer_roster),
    ("/vaults/{vault_id}/devices/{device_id}", "DELETE"): Endpoint(answer_revoke),
}


def _member(member: Member) -> dict[str, object]:
    endorsement = member.endorsement
    return {
        "device_id": member.device_id,
        "public_key": base64url(member.public_key),
        "registered_at": rfc3339(member.registered_at_ms),
        "revoked_at": None if member.revoked_at_ms is None else rfc3339(member.revoked_at_ms),
        "endorsement": endorsement
        and {
            "endorser": endorsement.endorser,
            "expires_at": endorsement.expires_at,
            "signature": endorsement.signature,
        },
    }
