"""§7.2 `POST /devices`."""

from sync_relay_conformance.device import Device
from sync_relay_conformance.registry import check
from sync_relay_conformance.relay import Relay
from sync_relay_conformance.vault import Vault
from sync_relay_conformance.verdicts import must_equal

ANSWER = ["device_id", "epoch", "head", "public_key", "registered_at", "vault_id"]


@check(
    "7.2",
    "Answers 201 (new) or 200 (already a member):",
    '{"device_id","vault_id","epoch","public_key","registered_at","head":{"seq","chain"}}',
)
def a_registration_is_answered_with_the_vault_s_state(relay: Relay) -> None:
    relay.needs_new_vaults()
    vault = Vault.drawn(relay, Device())
    created = vault.register(vault.founder)
    relay.keep(vault)
    created.must_be(
        201, vault_id=vault.id, device_id=vault.founder.id, public_key=vault.founder.public_key, head=vault.genesis
    )
    must_equal(sorted(created.json), ANSWER, "the members of the answer")
    must_equal(vault.register(vault.founder).must_be(200).json, created.json, "the answer, again")


@check("7.2", "Answers 201 (new) or 200 (already a member):")
def a_device_that_joins_is_told_epoch_and_head(relay: Relay) -> None:
    vault = relay.vault_of(2)
    info = vault.info()
    device = Device()
    vault.register(device, vault.endorsement(device)).must_be(201, epoch=info["epoch"], head=info["head"])


@check("7.2", '{"vault_id", "public_key", "endorsement"?}')
def a_registration_needs_a_vault_id_and_a_key(relay: Relay) -> None:
    device = Device()
    vault = Vault.drawn(relay, device)
    body = vault.registration(device)
    for member in ("vault_id", "public_key"):
        lacking = {name: value for name, value in body.items() if name != member}
        vault.register(device, body=lacking).must_point_at(f"/{member}")
    for vault_id in (vault.id[:-1], "A" + vault.id[1:], "", None, 1):
        vault.register(device, body=body | {"vault_id": vault_id}).must_point_at("/vault_id")
