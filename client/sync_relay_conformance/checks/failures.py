"""§4 Which failure is which: the first that applies."""

from base64 import b64decode

from sync_relay_conformance.device import Device
from sync_relay_conformance.draft import byte_sequence, edited, replaced, without
from sync_relay_conformance.registry import check
from sync_relay_conformance.relay import Relay

LONG_AGO = 1
GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493


@check("4", "The first that applies, in this order:")
def a_missing_signature_comes_before_broken_rules(relay: Relay) -> None:
    vault = relay.found()
    vault.ask("GET", covers=without("@path"), sent=replaced("signature", None)).must_be(401, "signature_required")


@check("4", "2. `signature_invalid`: they parse, but a parameter or a component breaks a rule above.")
def broken_rules_come_before_an_unknown_device(relay: Relay) -> None:
    vault = relay.found()
    vault.ask("GET", by=Device(), covers=without("@path")).must_be(401, "signature_invalid")
    vault.ask("GET", by=Device(), parameters={"created": None}).must_be(401, "signature_invalid")


@check("4", "3. `unknown_device`: `keyid` was never registered in a vault that still exists.")
def an_unknown_device_comes_before_a_wrong_time_or_signature(relay: Relay) -> None:
    vault = relay.found()
    stranger = Device()
    vault.ask("GET", by=stranger).must_be(401, "unknown_device")
    vault.ask("GET", by=stranger, created=LONG_AGO).must_be(401, "unknown_device")
    vault.ask("GET", by=stranger, sent=replaced("signature", "sig=:AAAA:")).must_be(401, "unknown_device")
    for keyid in ('"nobody"', '""'):
        vault.ask("GET", parameters={"keyid": keyid}).must_be(401, "unknown_device")


@check(
    "4",
    "3. `unknown_device`: `keyid` was never registered in a vault that still exists.",
    "| 401 | `unknown_device` | `keyid` was never registered in a vault that still exists |",
)
def a_device_whose_only_vault_was_erased_is_unknown(relay: Relay) -> None:
    vault = relay.found()
    vault.erase().must_be(204)
    vault.ask("GET").must_be(401, "unknown_device")
    relay.ask(vault.founder, "GET", f"/devices/{vault.founder.id}").must_be(401, "unknown_device")


@check("4", "4. `signature_expired`: `created` too far away, or `expires` past.")
def a_wrong_time_comes_before_a_wrong_signature(relay: Relay) -> None:
    vault = relay.found()
    forged = replaced("signature", "sig=:AAAA:")
    vault.ask("GET", created=LONG_AGO, sent=forged).must_be(401, "signature_expired")


@check("4", "5. `signature_invalid`: it does not verify,")
def a_wrong_signature_comes_before_a_wrong_digest(relay: Relay) -> None:
    vault = relay.found()
    wrong = {"content-digest": "sha-256=:AAAA:"}
    body = vault.founder.changeset()
    forged = replaced("signature", "sig=:AAAA:")
    vault.ask("POST", "/changesets", body, fields=wrong, sent=forged).must_be(401, "signature_invalid")
    vault.ask("POST", "/changesets", body, fields=wrong).must_be(401, "digest_mismatch")


@check("4", "A relay MUST refuse an S that")
def a_signature_whose_s_is_not_below_the_order_must_be_refused(relay: Relay) -> None:
    vault = relay.found()

    def shifted(written: str) -> str:
        signature = b64decode(written.removeprefix("sig=:").removesuffix(":"))
        s = int.from_bytes(signature[32:], "little") + GROUP_ORDER
        return f"sig={byte_sequence(signature[:32] + s.to_bytes(32, 'little'))}"

    vault.ask("GET", sent=edited("signature", shifted)).must_be(401, "signature_invalid")


@check("4", "or covers what was not sent or is not ASCII.")
def a_covered_value_that_is_not_ascii_does_not_verify(relay: Relay) -> None:
    vault = relay.found()
    vault.ask("GET", fields={"if-match": '"\u00e9"'}).must_be(401, "signature_invalid")
    vault.ask("GET", fields={"authorization": "Bearer \u20ac"}).must_be(401, "signature_invalid")


@check("4", "All are 401.")
def a_refused_request_changes_nothing(relay: Relay) -> None:
    vault = relay.vault_of(1)
    before = vault.info()
    body = vault.founder.changeset()
    vault.ask("POST", "/changesets", body, covers=without("@path")).must_be(401, "signature_invalid")
    vault.ask("POST", "/changesets", body, created=LONG_AGO).must_be(401, "signature_expired")
    vault.ask("POST", "/changesets", body, fields={"content-digest": "sha-256=:AAAA:"}).must_be(401, "digest_mismatch")
    if vault.info() != before:
        vault.ask("GET").must_be(200, **before)
