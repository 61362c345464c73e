"""§5 Pairing: an endorsement, judged in order."""

from sync_relay_conformance.answer import Answer
from sync_relay_conformance.device import Device, Json
from sync_relay_conformance.registry import check
from sync_relay_conformance.relay import Relay
from sync_relay_conformance.vault import Vault
from sync_relay_conformance.verdicts import must_equal

SEVEN_DAYS = 7 * 24 * 3600


def joins(vault: Vault, device: Device, endorsement: Json) -> None:
    """See that a device joins, and is in the list with its endorsement."""
    vault.register(device, endorsement).must_be(201)
    listed = {one["device_id"]: one["endorsement"] for one in vault.roster()}
    must_equal(listed[device.id], endorsement, "the endorsement in the list")


@check(
    "5",
    '`signature` is the Ed25519 signature of a member over `PAE("sync-relay/endorsement/v1", vault_id, device_id,',
    '{"endorser": device_id, "expires_at": Unix seconds, "signature": base64url}',
)
def a_device_that_a_member_endorses_joins(relay: Relay) -> None:
    vault = relay.found()
    second = vault.join()
    third = Device()
    joins(vault, third, vault.endorsement(third, by=second))
    vault.ask("GET", by=third).must_be(200, devices=3)


@check("5", "1. its shape: `endorser` has 43 characters of the base64url alphabet, `expires_at` is an integer,")
def an_endorsement_s_shape_is_judged_first(relay: Relay) -> None:
    vault = relay.found()
    device = Device()
    right = vault.endorsement(device)
    for member, values in {
        "endorser": (right["endorser"][:-1], right["endorser"] + "A", "+" * 43, 1, None),
        "expires_at": (str(right["expires_at"]), 1.5, None, True),
        "signature": (right["signature"][:-1], right["signature"] + "=", right["signature"] + "AA", "", 1),
    }.items():
        for value in values:
            vault.register(device, right | {member: value}).must_point_at(f"/endorsement/{member}")
        lacking = {name: one for name, one in right.items() if name != member}
        vault.register(device, lacking).must_point_at(f"/endorsement/{member}")
    vault.register(device, right | {"colour": "blue"}).must_be(422, "invalid_field")


@check("5", '`"endorsement": null` is 422: a client without one leaves the member out.')
def a_null_endorsement_is_invalid(relay: Relay) -> None:
    vault = relay.found()
    device = Device()
    vault.register(device, body=vault.registration(device) | {"endorsement": None}).must_point_at("/endorsement")


@check(
    "5",
    "2. `endorser` is a member and the signature is right, else 403 `endorsement_invalid`;",
    "| 403 | `endorsement_invalid` | §5 |",
)
def an_endorser_is_a_member_of_this_vault(relay: Relay) -> None:
    vault, other = relay.found(), relay.found()
    revoked = vault.join()
    vault.revoke(revoked).must_be(204)
    for endorser in (other.founder, Device(), revoked):
        device = Device()
        vault.register(device, vault.endorsement(device, by=endorser)).must_be(403, "endorsement_invalid")
    vault.ask("GET").must_be(200, devices=1)


@check("5", "2. `endorser` is a member and the signature is right, else 403 `endorsement_invalid`;")
def an_endorsement_is_for_one_device_one_vault_and_one_time(relay: Relay) -> None:
    vault, other = relay.found(), relay.found()
    device = Device()
    right = vault.endorsement(device)
    expires_at = right["expires_at"]
    for endorsement in (
        vault.endorsement(Device()),
        vault.founder.endorse(other.id, device.id, expires_at),
        right | {"expires_at": expires_at + 1},
        right | {"signature": vault.endorsement(Device())["signature"]},
        right | {"signature": "A" * 86},
    ):
        vault.register(device, endorsement).must_be(403, "endorsement_invalid")
    vault.register(device, right).must_be(201)


def brought(vault: Vault, ahead_seconds: int) -> Answer:
    """Register a new device by an endorsement that is good so long, to the second."""

    def register(now: int) -> Answer:
        device = Device()
        return vault.register(device, vault.founder.endorse(vault.id, device.id, now + ahead_seconds))

    return vault.relay.clock.within_a_second(register)


@check("5", "3. it is not past, else 403 `endorsement_expired`;", "| 403 | `endorsement_expired` | §5 |")
def an_endorsement_that_is_past_has_expired(relay: Relay) -> None:
    relay.needs("max_devices", 2)
    vault = relay.found()
    fuzz = relay.clock.fuzz_seconds
    brought(vault, fuzz).must_be(201)
    for ahead in (-1 - fuzz, -SEVEN_DAYS):
        brought(vault, ahead).must_be(403, "endorsement_expired")
    device = Device()
    long_past = vault.founder.endorse(vault.id, device.id, -(2**63))
    vault.register(device, long_past).must_be(403, "endorsement_expired")


@check("5", "4. it is at most 7 days ahead, else 403 `endorsement_invalid`.")
def an_endorsement_is_at_most_7_days_ahead(relay: Relay) -> None:
    relay.needs("max_devices", 3)
    vault = relay.found()
    fuzz = relay.clock.fuzz_seconds
    brought(vault, SEVEN_DAYS - fuzz).must_be(201)
    for ahead in (SEVEN_DAYS + 1 + fuzz, 10 * SEVEN_DAYS):
        brought(vault, ahead).must_be(403, "endorsement_invalid")


@check("5", "It is judged in this order:")
def a_wrong_signature_comes_before_a_wrong_time(relay: Relay) -> None:
    vault = relay.found()
    device = Device()
    past = vault.endorsement(device, by=Device(), ahead_seconds=-60)
    vault.register(device, past).must_be(403, "endorsement_invalid")
    changed = vault.endorsement(device) | {"expires_at": 1}
    vault.register(device, changed).must_be(403, "endorsement_invalid")
