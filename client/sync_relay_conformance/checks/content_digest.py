"""§4 Signed requests: `Content-Digest`."""

from hashlib import sha256, sha512

from sync_relay_conformance.draft import byte_sequence, content_digest, replaced
from sync_relay_conformance.registry import check
from sync_relay_conformance.relay import Relay, encode


@check(
    "4",
    "**Content-Digest** (RFC 9530) holds a `sha-256` member that is the body's digest;",
)
def the_sha_256_of_the_body_counts_and_no_other(relay: Relay) -> None:
    vault = relay.found()
    body = encode(vault.founder.changeset())
    right, wrong = content_digest(body), f"sha-256={byte_sequence(bytes(32))}"
    with_sha_512 = f"sha-512={byte_sequence(sha512(b'another').digest())}, {right}, md5=1"
    vault.ask("POST", "/changesets", body, fields={"content-digest": with_sha_512}).must_be(201)
    for digest in (wrong, f"sha-512={byte_sequence(sha512(body).digest())}", right.replace("sha-256", "sha-257")):
        answer = vault.ask("POST", "/changesets", body, fields={"content-digest": digest})
        answer.must_be(401, "digest_mismatch")


@check("4", "one that stands twice the last counts (RFC 9651 §3.2).")
def of_a_digest_that_stands_twice_the_last_counts(relay: Relay) -> None:
    vault = relay.found()
    body = encode(vault.founder.changeset())
    right, wrong = content_digest(body), f"sha-256={byte_sequence(bytes(32))}"
    vault.ask("POST", "/changesets", body, fields={"content-digest": f"{wrong}, {right}"}).must_be(201)
    answer = vault.ask("POST", "/changesets", body, fields={"content-digest": f"{right}, {wrong}"})
    answer.must_be(401, "digest_mismatch")


@check("4", "one that is covered although there is no body has to be the digest of no bytes.")
def without_a_body_the_digest_is_that_of_no_bytes(relay: Relay) -> None:
    vault = relay.found()
    vault.ask("GET", fields={"content-digest": content_digest(b"")}).must_be(200)
    vault.ask("GET", fields={"content-digest": content_digest(b"a body")}).must_be(401, "digest_mismatch")


@check(
    "4",
    "6. `digest_mismatch`: `Content-Digest` does not parse, has no `sha-256`, or differs from the body's.",
    "| 401 | `digest_mismatch` | §4 |",
)
def a_digest_that_does_not_parse_is_a_mismatch(relay: Relay) -> None:
    vault = relay.found()
    body = encode(vault.founder.changeset())
    hexadecimal = sha256(body).hexdigest()
    for digest in ("sha-256", f"sha-256={hexadecimal}", "sha-256=:AA", "(", f'sha-256="{hexadecimal}"'):
        answer = vault.ask("POST", "/changesets", body, fields={"content-digest": digest})
        answer.must_be(401, "digest_mismatch")


@check("4", "A body without `Content-Digest`")
def a_body_without_a_digest_is_not_covered(relay: Relay) -> None:
    vault = relay.found()
    bare = vault.draft("POST", "/changesets", vault.founder.changeset())
    signed = bare.but(body=b"", signer=vault.founder)
    fields = signed.header_fields()
    relay.send(bare.but(sent=lambda _: fields)).must_be(401, "signature_invalid")


@check("4", "A body that was changed on the way is thus `digest_mismatch`, and one changed together with its header")
def a_changed_body_is_told_from_a_changed_header(relay: Relay) -> None:
    vault = relay.found()
    signed = vault.draft("POST", "/changesets", vault.founder.changeset())
    other = encode(vault.founder.changeset(entity_id="another"))
    fields = signed.header_fields()
    relay.send(signed.but(body=other, sent=lambda _: fields)).must_be(401, "digest_mismatch")
    both = replaced("content-digest", content_digest(other))(fields)
    relay.send(signed.but(body=other, sent=lambda _: both)).must_be(401, "signature_invalid")
