"""§7.5 `DELETE /vaults/{vault_id}`."""

import httpx

from sync_relay_conformance.device import Device
from sync_relay_conformance.registry import check
from sync_relay_conformance.relay import Relay
from sync_relay_conformance.verdicts import must


@check("7.5", 'It needs `If-Match: "<chain>"` with the head\'s chain, so that no one erases what they have not seen;')
def an_erasure_needs_the_head_s_chain(relay: Relay) -> None:
    vault = relay.vault_of(2)
    vault.erase(if_match=f'"{vault.log()[0]["chain"]}"').must_be(412, "head_moved", head=vault.head)
    vault.erase(if_match=f'"{vault.genesis["chain"]}"').must_be(412, "head_moved")
    vault.erase(if_match=f'"{vault.head["chain"]}"').must_be(204)


@check(
    "7.5",
    "without it 428, with another chain 412, with anything but one strong tag 400.",
    "| 428 | `precondition_required` |",
)
def an_erasure_without_a_condition_is_refused(relay: Relay) -> None:
    vault = relay.found()
    vault.ask("DELETE").must_be(428, "precondition_required")
    vault.erase(if_match=f'W/"{vault.genesis["chain"]}"').must_be(400, "malformed_request")
    vault.ask("GET").must_be(200)


@check("7.5", "From then on every request", "about the vault is answered as if it had never been,", "Answers 204.")
def an_erased_vault_is_as_if_it_had_never_been(relay: Relay) -> None:
    vault = relay.vault_of(2)
    elsewhere = relay.found(vault.founder)
    second = vault.join()
    hash_ = vault.snapshot(b"a blob", vault.genesis)["sha256"]
    vault.erase().must_be(204)
    for method, below, body in (
        ("GET", "", None),
        ("DELETE", "", None),
        ("GET", "/devices", None),
        ("DELETE", f"/devices/{second.id}", None),
        ("GET", "/changesets", None),
        ("POST", "/changesets", vault.founder.changeset()),
        ("GET", "/snapshots", None),
        ("POST", "/snapshots", vault.announcement(b"a blob")),
        ("GET", f"/snapshots/{hash_}", None),
    ):
        vault.ask(method, below, body).must_be(404, "vault_not_found")
    vault.ask("GET", by=second).must_be(401, "unknown_device")
    elsewhere.ask("GET").must_be(200)
    relay.ask(elsewhere.founder, "GET", f"/devices/{second.id}").must_be(404, "device_not_found")


@check("7.5", "save that `POST /devices` without endorsement is 409", "Only its id is kept, as spent.")
def an_erased_vault_can_t_be_founded_again(relay: Relay) -> None:
    vault = relay.found()
    vault.erase().must_be(204)
    for device in (vault.founder, Device()):
        vault.register(device).must_be(409, "vault_erased")
        vault.register(device, vault.endorsement(device)).must_be(404, "vault_not_found")


@check("7.5", "DELETE erases the vault: changesets, devices, snapshots and blobs (the right to erasure of the GDPR).")
def an_erased_vault_s_blobs_are_gone(relay: Relay) -> None:
    vault = relay.found()
    vault.snapshot(b"to be forgotten")
    url = vault.latest().must_be(200).json["snapshot"]["download"]["url"]
    must(relay.transfer("GET", url).content == b"to be forgotten", "the blob", "another")
    vault.erase().must_be(204)
    gone = relay.transfer("GET", url)
    must(gone.status_code == httpx.codes.NOT_FOUND, "404 to the download of an erased blob", gone.status_code)


@check("7.5", "A client that repeats an erasure takes 404 and 401 `unknown_device` as done.")
def an_erasure_that_is_repeated_is_refused_as_done(relay: Relay) -> None:
    vault = relay.found()
    erasure = vault.draft("DELETE", fields={"if-match": f'"{vault.genesis["chain"]}"'})
    relay.send(erasure).must_be(204)
    relay.send(erasure).must_be(401, "unknown_device")
    other = relay.found()
    elsewhere = relay.found(other.founder)
    other.erase().must_be(204)
    other.erase(if_match=f'"{other.genesis["chain"]}"').must_be(404, "vault_not_found")
    elsewhere.ask("GET").must_be(200)


@check("7.5", 'It needs `If-Match: "<chain>"` with the head\'s chain, so that no one erases what they have not seen;')
def any_member_may_erase(relay: Relay) -> None:
    vault = relay.found()
    second = vault.join()
    vault.erase(by=second, if_match=f'"{vault.head["chain"]}"').must_be(204)
