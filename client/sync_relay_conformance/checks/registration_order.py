"""§6 The order of the checks of `POST /devices`, which needs its body to know the key."""

from sync_relay_conformance.device import Device
from sync_relay_conformance.draft import replaced, without
from sync_relay_conformance.registry import check
from sync_relay_conformance.relay import Relay
from sync_relay_conformance.vault import Vault
from sync_relay_conformance.verdicts import NotApplicable

ORDER = "`POST /devices` needs its body to know the key."


@check("6", ORDER)
def a_missing_signature_comes_before_the_body(relay: Relay) -> None:
    relay.ask(None, "POST", "/devices", b"{").must_be(401, "signature_required")
    relay.ask(Device(), "POST", "/devices", b"{", sent=replaced("signature", "(")).must_be(401, "signature_required")


@check("6", ORDER, "body missing, media type, JSON, fields, then the signature's rules;")
def the_body_comes_before_the_signature_s_rules(relay: Relay) -> None:
    device, broken = Device(), without("@path")
    plain = {"content-type": "text/plain"}
    relay.ask(device, "POST", "/devices", covers=broken).must_be(400, "malformed_request")
    relay.ask(device, "POST", "/devices", b"{", fields=plain, covers=broken).must_be(415, "unsupported_media_type")
    relay.ask(device, "POST", "/devices", b"{", covers=broken).must_be(400, "malformed_request")
    relay.ask(device, "POST", "/devices", {}, covers=broken).must_point_at("/public_key", "/vault_id")
    vault = Vault.drawn(relay, device)
    vault.register(device, covers=broken).must_be(401, "signature_invalid")


@check("6", "a `keyid` that is not the", "then time, signature and digest.")
def a_foreign_keyid_comes_before_time_signature_and_digest(relay: Relay) -> None:
    device = Device()
    vault = Vault.drawn(relay, device)
    foreign = {"keyid": f'"{Device().id}"'}
    forged = replaced("signature", "sig=:AAAA:")
    wrong = {"content-digest": "sha-256=:AAAA:"}
    vault.register(device, created=1, parameters=foreign).must_be(401, "signature_invalid")
    vault.register(device, created=1, sent=forged).must_be(401, "signature_expired")
    vault.register(device, fields=wrong, sent=forged).must_be(401, "signature_invalid")
    vault.register(device, fields=wrong).must_be(401, "digest_mismatch")


@check(
    "6",
    "What §5 says comes after, and `quota_exceeded`",
    "A vault with `max_devices` members takes no other: 507.",
    "| `max_devices` | 64 | members of a vault |",
)
def the_quota_of_devices_comes_last(relay: Relay) -> None:
    most = relay.limit("max_devices")
    if most > 256:
        raise NotApplicable(f"max_devices is {most}, too many to register here")
    vault = relay.found()
    for _ in range(most - 1):
        vault.join()
    device = Device()
    vault.register(device, vault.endorsement(device, by=Device())).must_be(403, "endorsement_invalid")
    refused = vault.register(device, vault.endorsement(device))
    refused.must_be(507, "quota_exceeded", quota="max_devices", limit=most)
    vault.ask("GET").must_be(200, devices=most)
    vault.register(vault.founder, vault.endorsement(vault.founder)).must_be(200)
    if most > 1:
        vault.revoke(vault.members[-1]).must_be(204)
        vault.register(device, vault.endorsement(device)).must_be(201)
