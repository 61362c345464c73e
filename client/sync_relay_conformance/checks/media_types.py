"""§2 Encoding: where a body is looked at, and in which order."""

from sync_relay_conformance.registry import check
from sync_relay_conformance.relay import Relay, encode


@check("2", "with `Content-Type: application/json`, whose parameters are not looked at.")
def a_media_type_s_parameters_and_case_do_not_matter(relay: Relay) -> None:
    vault = relay.found()
    for media_type in ("application/json; charset=utf-8", "application/json;charset=latin-1", "Application/JSON"):
        body = encode(vault.founder.changeset())
        vault.ask("POST", "/changesets", body, fields={"content-type": media_type}).must_be(201)


@check(
    "2",
    "media type other than `application/json` or any `Content-Encoding` (415)",
    "| 415 | `unsupported_media_type` |",
)
def another_media_type_is_unsupported(relay: Relay) -> None:
    vault = relay.found()
    body = encode(vault.founder.changeset())
    for media_type in ("text/plain", "application/problem+json", "application/jsonp", "text/json"):
        fields = {"content-type": media_type}
        vault.ask("POST", "/changesets", body, fields=fields).must_be(415, "unsupported_media_type")
    draft = vault.draft("POST", "/changesets", body)
    fields = {name: value for name, value in draft.fields.items() if name != "content-type"}
    relay.send(draft.but(fields=fields)).must_be(415, "unsupported_media_type")


@check("2", "media type other than `application/json` or any `Content-Encoding` (415)")
def any_content_coding_is_unsupported(relay: Relay) -> None:
    vault = relay.found()
    for coding in ("gzip", "identity", "br"):
        body = encode(vault.founder.changeset())
        fields = {"content-encoding": coding}
        vault.ask("POST", "/changesets", body, fields=fields).must_be(415, "unsupported_media_type")


@check("2", "a `Content-Encoding` field with an empty value counts as none.")
def an_empty_content_coding_is_none(relay: Relay) -> None:
    vault = relay.found()
    body = encode(vault.founder.changeset())
    vault.ask("POST", "/changesets", body, fields={"content-encoding": ""}).must_be(201)


@check("2", "Endpoints that ask for a body judge, in this order: body missing or empty (400, whatever the media type)")
def a_body_is_judged_in_order(relay: Relay) -> None:
    vault = relay.found()
    plain = {"content-type": "text/plain"}
    vault.ask("POST", "/changesets", fields=plain).must_be(400, "malformed_request")
    vault.ask("POST", "/changesets", b"{", fields=plain).must_be(415, "unsupported_media_type")
    vault.ask("POST", "/changesets", b"{").must_be(400, "malformed_request")
    vault.ask("POST", "/changesets", b"{}").must_be(422, "invalid_field")


@check("2", "Elsewhere a body is ignored, media type and coding too, once its digest has matched (§4).")
def a_body_that_nobody_asked_for_is_ignored(relay: Relay) -> None:
    vault = relay.found()
    plain = {"content-type": "text/plain", "content-encoding": "gzip"}
    vault.ask("GET", "", b"not json", fields=plain).must_be(200)
    draft = vault.draft("GET", "", b"not json")
    relay.send(draft.but(fields={**draft.fields, "content-digest": "sha-256=:AAAA:"})).must_be(401, "digest_mismatch")
