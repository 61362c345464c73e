"""§5 Pairing: without an endorsement."""

from sync_relay_conformance.device import Device
from sync_relay_conformance.registry import check
from sync_relay_conformance.relay import Relay
from sync_relay_conformance.vault import Vault
from sync_relay_conformance.verdicts import NotApplicable, must_equal


@check("5", "**Without `endorsement`** it creates the vault and makes the device its founder.")
def a_device_without_endorsement_founds_the_vault(relay: Relay) -> None:
    vault = relay.found()
    vault.ask("GET").must_be(200, devices=1, vault_id=vault.id)
    must_equal([one["device_id"] for one in vault.roster()], [vault.founder.id], "the devices of a new vault")


@check("5", "If the vault exists: 403", "| 403 | `endorsement_required` |")
def a_vault_that_exists_is_joined_with_an_endorsement_only(relay: Relay) -> None:
    vault = relay.found()
    vault.register(Device()).must_be(403, "endorsement_required")
    vault.ask("GET").must_be(200, devices=1)


@check("5", "If it was erased: 409 `vault_erased`.", "| 409 | `vault_erased` |")
def an_erased_vault_s_id_is_spent(relay: Relay) -> None:
    vault = relay.found()
    vault.erase().must_be(204)
    vault.register(vault.founder).must_be(409, "vault_erased")
    vault.register(Device()).must_be(409, "vault_erased")


@check("5", "Only then is it judged whether the operator allows new", "| 403 | `vault_creation_closed` |")
def new_vaults_are_refused_where_they_are_not_allowed(relay: Relay) -> None:
    creation = relay.configuration.vault_creation
    if creation == "open":
        raise NotApplicable("vault_creation is open")
    vault = Vault.drawn(relay, Device())
    body = vault.registration(vault.founder)
    relay.ask(vault.founder, "POST", "/devices", body).must_be(403, "vault_creation_closed")
    wrong = {"authorization": "Bearer not the operator's token"}
    relay.ask(vault.founder, "POST", "/devices", body, fields=wrong).must_be(403, "vault_creation_closed")
    if relay.vault_token is None:
        return
    existing = relay.found()
    stranger = Device()
    relay.ask(stranger, "POST", "/devices", existing.registration(stranger)).must_be(403, "endorsement_required")
    existing.erase().must_be(204)
    relay.ask(stranger, "POST", "/devices", existing.registration(stranger)).must_be(409, "vault_erased")


@check("5", "**With `endorsement`** it joins a vault and never creates one: no such vault, or an erased one, is 404")
def an_endorsement_never_creates_a_vault(relay: Relay) -> None:
    device, endorser = Device(), Device()
    nowhere = Vault.drawn(relay, endorser)
    nowhere.register(device, nowhere.endorsement(device)).must_be(404, "vault_not_found")
    erased = relay.found()
    erased.erase().must_be(204)
    erased.register(device, erased.endorsement(device)).must_be(404, "vault_not_found")
    nowhere.register(device, nowhere.endorsement(device)).must_be(404, "vault_not_found")


@check(
    "5",
    "`POST /devices` (§7.2) is signed by the very key that it registers, which proves possession of it.",
    "| POST | `/devices` | by the new key | 7.2 |",
)
def a_registration_is_signed_by_the_key_it_registers(relay: Relay) -> None:
    vault = relay.found()
    body = vault.registration(Device(), vault.endorsement(Device()))
    relay.ask(vault.founder, "POST", "/devices", body).must_be(401, "signature_invalid")
    device = Device()
    body = vault.registration(device, vault.endorsement(device))
    by_another = {"keyid": f'"{device.id}"'}
    relay.ask(vault.founder, "POST", "/devices", body, parameters=by_another).must_be(401, "signature_invalid")
    vault.ask("GET").must_be(200, devices=1)
