"""§7.3 and §7.4: looking up, listing and revoking devices."""

import time

from sync_relay_conformance.device import Device
from sync_relay_conformance.registry import check
from sync_relay_conformance.relay import Relay
from sync_relay_conformance.verdicts import must, must_equal


@check(
    "7.3",
    '{"device_id","public_key","algorithm":"ed25519","registered_at"}',
    "200 for the signer itself,",
    "| GET | `/devices/{device_id}` | yes | 7.3 |",
)
def a_device_may_look_itself_up(relay: Relay) -> None:
    founder = relay.found().founder
    shown = relay.ask(founder, "GET", f"/devices/{founder.id}")
    shown.must_be(200, device_id=founder.id, public_key=founder.public_key, algorithm="ed25519")
    must_equal(sorted(shown.json), ["algorithm", "device_id", "public_key", "registered_at"], "the members")


@check("7.3", "and for devices that are, or were, members of a vault of which the signer is a member;")
def members_may_look_each_other_up(relay: Relay) -> None:
    vault = relay.found()
    second, revoked = vault.join(), vault.join()
    vault.revoke(revoked).must_be(204)
    for signer, device in ((vault.founder, second), (second, vault.founder), (second, revoked)):
        shown = relay.ask(signer, "GET", f"/devices/{device.id}")
        shown.must_be(200, device_id=device.id, public_key=device.public_key)


@check("7.3", "else", "404 `device_not_found`.")
def nobody_else_is_found(relay: Relay) -> None:
    vault, other = relay.found(), relay.found()
    revoked = vault.join()
    vault.revoke(revoked).must_be(204)
    for signer, device in ((vault.founder, other.founder), (vault.founder, Device()), (revoked, vault.founder)):
        relay.ask(signer, "GET", f"/devices/{device.id}").must_be(404, "device_not_found")
    relay.ask(revoked, "GET", f"/devices/{revoked.id}").must_be(200)


@check("7.3", "`registered_at` is the device's first registration.")
def registered_at_is_the_first_registration(relay: Relay) -> None:
    device = Device()
    first = relay.found(device).roster()[0]["registered_at"]
    time.sleep(0.003)
    relay.found(device)
    relay.ask(device, "GET", f"/devices/{device.id}").must_be(200, registered_at=first)


@check("7.4", "GET lists all devices in order of registration, revoked ones too:", "`revoked_at` is null for a member;")
def devices_are_listed_in_order_of_registration(relay: Relay) -> None:
    vault = relay.found()
    joined = [vault.join() for _ in range(3)]
    vault.revoke(joined[0]).must_be(204)
    listed = vault.roster()
    must_equal([one["device_id"] for one in listed], [one.id for one in (vault.founder, *joined)], "the devices")
    must_equal([one["revoked_at"] is None for one in listed], [True, False, True, True], "who is a member")
    must_equal([one["public_key"] for one in listed], [one.public_key for one in (vault.founder, *joined)], "the keys")


@check(
    "7.4",
    "`endorsement` is the one that the device joined with, null for the founder.",
    '{"epoch","devices":[{"device_id","public_key","registered_at","revoked_at","endorsement"}]}',
)
def each_device_is_listed_with_its_endorsement(relay: Relay) -> None:
    vault = relay.found()
    device = Device()
    endorsement = vault.endorsement(device)
    vault.register(device, endorsement).must_be(201)
    vault.register(device, vault.endorsement(device, ahead_seconds=60)).must_be(200)
    must_equal([one["endorsement"] for one in vault.roster()], [None, endorsement], "the endorsements")


@check("7.4", "Any member may revoke any device, itself too.")
def any_member_may_revoke_any_device(relay: Relay) -> None:
    vault = relay.found()
    second, third = vault.join(), vault.join()
    vault.revoke(vault.founder, by=third).must_be(204)
    vault.revoke(second, by=second).must_be(204)
    for device in (vault.founder, second):
        vault.ask("GET", by=device).must_be(403, "device_revoked")
    vault.ask("GET", by=third).must_be(200, devices=1)


@check("7.4", "204, and 204 again;")
def a_device_may_be_revoked_again(relay: Relay) -> None:
    vault = relay.found()
    device = vault.join()
    vault.revoke(device).must_be(204)
    revoked_at = vault.roster()[1]["revoked_at"]
    must(revoked_at is not None, "a time as revoked_at", revoked_at)
    vault.revoke(device).must_be(204)
    must_equal(vault.roster()[1]["revoked_at"], revoked_at, "revoked_at")


@check("7.4", "a device that was never in the vault", "| 404 | `device_not_found` | §7.3, §7.4 |")
def a_device_that_was_never_here_can_t_be_revoked(relay: Relay) -> None:
    vault, other = relay.found(), relay.found()
    for device in (Device(), other.founder):
        vault.revoke(device).must_be(404, "device_not_found")
    other.ask("GET").must_be(200, devices=1)


@check("7.4", "The last member can't be revoked: 409 `last_device`.", "| 409 | `last_device` |")
def the_last_member_can_t_be_revoked(relay: Relay) -> None:
    vault = relay.found()
    vault.revoke(vault.founder).must_be(409, "last_device")
    second = vault.join()
    vault.revoke(vault.founder).must_be(204)
    vault.revoke(second, by=second).must_be(409, "last_device")
    vault.ask("GET", by=second).must_be(200, devices=1)


@check("7.4", "DELETE revokes.")
def a_revocation_is_for_one_vault(relay: Relay) -> None:
    device = Device()
    one, other = relay.found(device), relay.found()
    other.register(device, other.endorsement(device)).must_be(201)
    other.revoke(device).must_be(204)
    one.ask("GET").must_be(200)
