"""§2 Encoding: what is JSON."""

from sync_relay_conformance.registry import check
from sync_relay_conformance.relay import Relay, encode
from sync_relay_conformance.vault import Vault
from sync_relay_conformance.verdicts import must_equal

PLACE = b'"tx-1"'
"""Where a changeset's text holds its `entity_id`."""


def with_entity_id(vault: Vault, written: bytes) -> bytes:
    """Return a changeset's JSON text in which `entity_id` is written so."""
    return encode(vault.founder.changeset()).replace(PLACE, written)


@check("2", "Bodies are JSON (RFC 8259) in UTF-8 with `Content-Type: application/json`", "What is not JSON is 400")
def what_is_not_json_is_malformed(relay: Relay) -> None:
    vault = relay.found()
    whole = encode(vault.founder.changeset())
    for body in (
        b"{",
        whole[:-1],
        whole + b"}",
        whole + b",",
        b"'single'",
        whole.replace(b'"', b"'"),
        b"\xef\xbb\xbf{",
    ):
        vault.ask("POST", "/changesets", body).must_be(400, "malformed_request")


@check("2", "That includes `NaN` and `Infinity`")
def nan_and_infinity_are_no_json(relay: Relay) -> None:
    vault = relay.found()
    for number in (b"NaN", b"Infinity", b"-Infinity"):
        body = encode(vault.founder.changeset()).replace(b'"schema_version":3', b'"schema_version":' + number)
        vault.ask("POST", "/changesets", body).must_be(400, "malformed_request")


@check("2", "a string with a lone surrogate (UTF-8 could not carry it)")
def a_lone_surrogate_is_no_json(relay: Relay) -> None:
    vault = relay.found()
    for escape in (rb'"\ud800"', rb'"\udc00"', rb'"\udc00\ud800"'):
        vault.ask("POST", "/changesets", with_entity_id(vault, escape)).must_be(400, "malformed_request")
    vault.ask("POST", "/changesets", with_entity_id(vault, rb'"\ud83d\ude00"')).must_be(201)
    must_equal(vault.log()[0]["entity_id"], "\U0001f600", "what a pair of surrogates stands for")


@check("2", "text that is not UTF-8")
def what_is_not_utf_8_is_malformed(relay: Relay) -> None:
    vault = relay.found()
    for text in (b'"\xff"', b'"\xc0\x80"', b'"\xed\xa0\x80"', b'"\xe4"'):
        vault.ask("POST", "/changesets", with_entity_id(vault, text)).must_be(400, "malformed_request")
    utf_16 = encode(vault.founder.changeset()).decode().encode("utf-16")
    vault.ask("POST", "/changesets", utf_16).must_be(400, "malformed_request")


@check("2", "and an empty body.")
def an_empty_body_is_malformed_where_one_is_asked_for(relay: Relay) -> None:
    vault = relay.found()
    vault.ask("POST", "/changesets").must_be(400, "malformed_request")
    vault.ask("POST", "/snapshots").must_be(400, "malformed_request")


@check("2", "A relay need not look for either")
def a_repeated_member_or_deep_nesting_never_fails_the_relay(relay: Relay) -> None:
    relay.needs("max_body_bytes", 250000)
    vault = relay.found()
    twice = with_entity_id(vault, b'"tx-1","entity_id":"tx-2"')
    vault.ask("POST", "/changesets", twice).must_not_fail(201, 400, 422)
    for depth in (17, 1_000, 100_000):
        nested = with_entity_id(vault, b"[" * depth + b"]" * depth)
        vault.ask("POST", "/changesets", nested).must_not_fail(400, 422)


@check("2", "A JSON value of the wrong shape is 422 `invalid_field`.")
def a_value_of_another_kind_is_an_invalid_field(relay: Relay) -> None:
    vault = relay.found()
    others: list[object] = [[], "text", 1, None, True]
    for value in others:
        vault.ask("POST", "/changesets", encode(value)).must_be(422, "invalid_field")
    others = [1, None, ["tx-1"], {"entity_id": "tx-1"}, True]
    for value in others:
        vault.push(vault.founder.changeset(entity_id=value)).must_point_at("/entity_id")
    vault.ask("POST", "/changesets", {"changesets": {}}).must_point_at("/changesets")
