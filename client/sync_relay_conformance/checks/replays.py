"""§4 Replays: a request that is sent again changes nothing."""

from sync_relay_conformance.device import Device
from sync_relay_conformance.registry import check
from sync_relay_conformance.relay import Relay
from sync_relay_conformance.verdicts import must_equal

SENTENCE = "A relay keeps no list of nonces, because a replayed request changes nothing:"


@check("4", SENTENCE)
def a_replayed_push_changes_nothing(relay: Relay) -> None:
    vault = relay.found()
    push = vault.draft("POST", "/changesets", vault.founder.changeset())
    first = relay.send(push).must_be(201).json["receipts"][0]
    vault.fill(1)
    before = vault.info()
    again = relay.send(push).must_be(200).json["receipts"][0]
    must_equal(again, first | {"status": "duplicate"}, "the receipt")
    must_equal(vault.info(), before, "the vault")


@check("4", SENTENCE)
def a_replayed_registration_changes_nothing(relay: Relay) -> None:
    vault = relay.found()
    device = Device()
    body = vault.registration(device, vault.endorsement(device))
    registration = relay.draft(device, "POST", "/devices", body)
    first = relay.send(registration).must_be(201).json
    must_equal(relay.send(registration).must_be(200).json, first, "the answer")
    must_equal(len(vault.roster()), 2, "devices in the list")


@check("4", SENTENCE, "a revoked device stays out, and an erased vault's id is spent.")
def a_revoked_device_stays_out_whatever_is_replayed(relay: Relay) -> None:
    vault = relay.found()
    device = Device()
    registration = relay.draft(device, "POST", "/devices", vault.registration(device, vault.endorsement(device)))
    relay.send(registration).must_be(201)
    revocation = vault.draft("DELETE", f"/devices/{device.id}")
    for _ in range(2):
        relay.send(revocation).must_be(204)
    before = vault.roster()
    relay.send(revocation).must_be(204)
    must_equal(vault.roster(), before, "the devices, `revoked_at` too")
    relay.send(registration).must_be(403, "device_revoked")


@check("4", SENTENCE, "a revoked device stays out, and an erased vault's id is spent.")
def a_replayed_founding_brings_no_vault_back(relay: Relay) -> None:
    vault = relay.found()
    fields = {} if relay.vault_token is None else {"authorization": f"Bearer {relay.vault_token}"}
    founding = relay.draft(vault.founder, "POST", "/devices", vault.registration(vault.founder), fields=fields)
    relay.send(founding).must_be(200)
    vault.erase().must_be(204)
    relay.send(founding).must_be(409, "vault_erased")


@check("4", SENTENCE)
def a_replayed_announcement_changes_nothing(relay: Relay) -> None:
    vault = relay.found()
    announcement = vault.draft("POST", "/snapshots", vault.announcement(b"a blob"))
    first = relay.send(announcement).must_be(201).json["snapshot"]
    relay.send(announcement).must_be(200, snapshot=first)
    must_equal(vault.ask("GET", "/snapshots").must_be(200).json["snapshots"], [first], "the list")
