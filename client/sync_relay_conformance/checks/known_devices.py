"""§5 Pairing: a device that is known already."""

from sync_relay_conformance.device import Device
from sync_relay_conformance.registry import check
from sync_relay_conformance.relay import Relay
from sync_relay_conformance.verdicts import must_equal


@check("5", "A member gets 200, whatever endorsement it brings (of the right shape).")
def a_member_registers_again_with_any_endorsement(relay: Relay) -> None:
    vault = relay.found()
    device = vault.join()
    first = vault.register(device).must_be(200).json
    for endorsement in (
        vault.endorsement(device),
        vault.endorsement(device, ahead_seconds=-60),
        vault.endorsement(Device()),
        vault.endorsement(device, by=Device()),
    ):
        must_equal(vault.register(device, endorsement).must_be(200).json, first, "the answer, again")
    vault.register(device, vault.endorsement(device) | {"signature": ""}).must_be(422, "invalid_field")
    vault.ask("GET").must_be(200, devices=2)


@check("5", "also if it brings none, so that a founder who lost the answer just sends again.")
def a_founder_who_lost_the_answer_sends_again(relay: Relay) -> None:
    vault = relay.found()
    first = vault.register(vault.founder).must_be(200).json
    vault.fill(1)
    again = vault.register(vault.founder).must_be(200, head=vault.head).json
    for name in ("device_id", "vault_id", "epoch", "public_key", "registered_at"):
        must_equal(again[name], first[name], name)


@check("5", "A revoked one gets 403")
def a_revoked_device_stays_out_for_ever(relay: Relay) -> None:
    vault = relay.found()
    device = vault.join()
    vault.revoke(device).must_be(204)
    vault.register(device).must_be(403, "device_revoked")
    vault.register(device, vault.endorsement(device)).must_be(403, "device_revoked")
    vault.ask("GET").must_be(200, devices=1)


@check("5", "revoked --> [*]: the vault is erased", "member --> [*]: the vault is erased")
def a_device_that_was_revoked_may_be_in_another_vault(relay: Relay) -> None:
    vault, other = relay.found(), relay.found()
    device = vault.join()
    vault.revoke(device).must_be(204)
    other.register(device, other.endorsement(device)).must_be(201)
    other.ask("GET", by=device).must_be(200)
    vault.ask("GET", by=device).must_be(403, "device_revoked")
