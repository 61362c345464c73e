"""§6 Errors: problem details, and codes that no other check is about."""

import uuid

from sync_relay_conformance.device import Device, Json
from sync_relay_conformance.registry import check
from sync_relay_conformance.relay import Relay
from sync_relay_conformance.vault import Vault
from sync_relay_conformance.verdicts import must, must_equal


@check(
    "6",
    "Errors are problem details (RFC 9457): `type` (`about:blank`, or a URL of the documentation), `title`, `status`,",
)
def an_error_is_a_problem(relay: Relay) -> None:
    for answer in (
        relay.ask(None, "GET", "/nowhere").must_be(404, "route_not_found"),
        relay.ask(None, "GET", f"/vaults/{uuid.uuid4()}").must_be(401, "signature_required"),
    ):
        problem = answer.json
        must_equal(sorted(problem), ["code", "status", "title", "type"], "the members of a problem")
        must_equal(problem["status"], answer.status, "status")
        must(problem["type"] == "about:blank" or problem["type"].startswith("http"), "a type", problem["type"])
        must(isinstance(problem["title"], str) and problem["title"] != "", "a title", problem["title"])


@check("2", "Errors are `application/problem+json` (§6).")
def an_error_has_its_media_type(relay: Relay) -> None:
    answer = relay.ask(None, "GET", "/nowhere").must_be(404, "route_not_found")
    media_type = answer.headers.get("content-type", "").partition(";")[0]
    must_equal(media_type, "application/problem+json", "the media type of an error")


@check("6", "No error repeats any part of a", "request, save the ids in its path and those in `ids`.")
def no_error_repeats_what_was_sent(relay: Relay) -> None:
    vault = relay.found()
    word = "canary-7d3f"
    changeset = vault.founder.changeset(entity=word, ciphertext=word)
    vault.push(changeset).must_be(201)
    for answer in (
        vault.push(changeset | {"nonce": word}),
        vault.push(vault.founder.changeset(id=word)),
        vault.push(vault.founder.changeset(**{word: word})),
        vault.push(vault.founder.changeset(origin_device=word)),
        vault.ask("POST", "/changesets", word.encode()),
        vault.ask("GET", f"/{word}"),
        vault.ask("GET", "", query=[(word, word)]),
        vault.ask("GET", "", parameters={"tag": f'"{word}"', "expires": "1"}),
        vault.pull(since=word),
        vault.announce(b"a blob", key_id=word, size=0),
        vault.erase(if_match=f'"{word}"'),
        vault.register(Device(), fields={"authorization": f"Bearer {word}"}),
    ):
        must(400 <= answer.status < 500, f"a refusal of {answer.asked}", answer.outcome)
        must(word.encode() not in answer.body, f"nothing of the request in {answer.asked}", answer.outcome)
        told = "".join(f"{name}: {text}" for name, text in answer.headers.items())
        must(word not in told, f"nothing of the request in the fields of {answer.asked}", told)


@check(
    "6",
    "A `pointer` (RFC 6901) names only members that this page defines:",
    "an unknown member is reported at its parent.",
)
def an_unknown_member_is_reported_at_its_parent(relay: Relay) -> None:
    vault = relay.found()
    vault.push(vault.founder.changeset(colour="blue")).must_point_at("")
    vault.push(vault.founder.changeset(), vault.founder.changeset(colour="blue")).must_point_at("/changesets/1")
    vault.announce(b"a blob", vault.genesis | {"colour": "blue"}).must_point_at("/covers")


@check("6", 'carries `errors`: a list of `{"pointer","reason"}`, never a value.')
def an_invalid_field_is_pointed_at(relay: Relay) -> None:
    vault = relay.found()
    broken = vault.founder.changeset(entity="", schema_version=-1)
    answer = vault.push(vault.founder.changeset(), broken)
    answer.must_point_at("/changesets/1/entity", "/changesets/1/schema_version")
    for error in answer.json["errors"]:
        must_equal(sorted(error), ["pointer", "reason"], "the members of an error")
    vault.pull(since="x", limit="y").must_point_at("/limit", "/since")


@check("6", "a 422 reports the first 32 faults only.")
def a_422_reports_32_faults(relay: Relay) -> None:
    vault = relay.found()
    empty = dict.fromkeys(vault.founder.changeset(), None)
    batch = [empty] * min(4, relay.limit("max_batch"))
    if len(batch) * len(empty) > 32:
        errors = vault.push(*batch).must_be(422, "invalid_field").json["errors"]
        must_equal(len(errors), 32, "reported faults")


def asked_by_members(vault: Vault, by: Device) -> tuple[tuple[str, str, Json | None], ...]:
    """Return a request of each endpoint that is for members: method, path below the vault's, and body."""
    announcement = vault.announcement(b"a blob")
    snapshot = f"/snapshots/{announcement['sha256']}"
    return (
        ("GET", "", None),
        ("DELETE", "", None),
        ("GET", "/devices", None),
        ("DELETE", f"/devices/{vault.founder.id}", None),
        ("GET", "/changesets", None),
        ("POST", "/changesets", by.changeset()),
        ("GET", "/snapshots", None),
        ("POST", "/snapshots", announcement),
        ("GET", "/snapshots/latest", None),
        ("GET", snapshot, None),
        ("POST", f"{snapshot}/complete", None),
    )


@check(
    "6",
    "there is no such vault, or the signer was never registered in it.",
    "Both get the same answer, byte for byte",
    "| GET | `/vaults/{vault_id}/devices` | by a member | 7.4 |",
    "| DELETE | `/vaults/{vault_id}/devices/{device_id}` | by a member | 7.4 |",
    "| GET | `/vaults/{vault_id}` | by a member | 7.5 |",
    "| DELETE | `/vaults/{vault_id}` | by a member | 7.5 |",
    "| POST | `/vaults/{vault_id}/changesets` | by a member | 7.6 |",
    "| GET | `/vaults/{vault_id}/changesets` | by a member | 7.7 |",
    "| POST | `/vaults/{vault_id}/snapshots` | by a member | 7.8 |",
    "| GET | `/vaults/{vault_id}/snapshots` | by a member | 7.8 |",
    "| GET | `/vaults/{vault_id}/snapshots/latest` | by a member | 7.8 |",
    "| GET | `/vaults/{vault_id}/snapshots/{sha256}` | by a member | 7.8 |",
    "| POST | `/vaults/{vault_id}/snapshots/{sha256}/complete` | by a member | 7.8 |",
)
def an_unknown_vault_and_one_of_others_look_alike(relay: Relay) -> None:
    stranger = relay.found().founder
    vault = relay.vault_of(1)
    nowhere = Vault.drawn(relay, stranger)
    for method, below, body in (*asked_by_members(vault, stranger), ("POST", "/changesets", b"{")):
        one = vault.ask(method, below, body, by=stranger).must_be(404, "vault_not_found")
        other = nowhere.ask(method, below, body, by=stranger).must_be(404, "vault_not_found")
        must_equal(one.body, other.body, f"the body of the answer to {method} {below}")
        fields = [sorted(set(answer.headers) - {"date"}) for answer in (one, other)]
        must_equal(fields[0], fields[1], "the names of the header fields")


@check("6", "| 403 | `device_revoked` | the signer was revoked in this vault |")
def a_revoked_device_may_do_nothing(relay: Relay) -> None:
    vault = relay.vault_of(1)
    device = vault.join()
    vault.revoke(device).must_be(204)
    for method, below, body in asked_by_members(vault, device):
        vault.ask(method, below, body, by=device).must_be(403, "device_revoked")


@check("6", "| 404 | `route_not_found` | no such path.")
def there_is_no_other_path(relay: Relay) -> None:
    vault = relay.found()
    for path in (
        "/nowhere",
        "/vaults",
        "/health/",
        "/devices/",
        f"{vault.path}/",
        f"{vault.path}/changesets/1",
        f"{vault.path}/snapshots/latest/complete",
        f"{vault.path}/nowhere",
    ):
        for by in (None, vault.founder):
            relay.ask(by, "GET", path).must_be(404, "route_not_found")


@check(
    "6", "Also where an id in the path has not the form of its kind: a UUID, or 43 characters of the base64url alphabet"
)
def an_id_of_another_form_is_no_path(relay: Relay) -> None:
    vault = relay.found()
    device = vault.founder.id
    for path in (
        f"/vaults/{vault.id.upper()}" if vault.id.upper() != vault.id else "/vaults/A",
        f"/vaults/{vault.id[:-1]}",
        f"/vaults/{vault.id.replace('-', '')}",
        f"/devices/{device[:-1]}",
        f"/devices/{device}A",
        f"/devices/{device[:-1]}.",
        f"{vault.path}/snapshots/{device[:-1]}",
    ):
        relay.ask(vault.founder, "GET", path).must_be(404, "route_not_found")


@check("6", "| 405 | `method_not_allowed` | with `Allow` |")
def another_method_is_not_allowed(relay: Relay) -> None:
    vault = relay.found()
    for method, path, allowed in (
        ("POST", "/health", {"GET"}),
        ("PUT", "/config", {"GET"}),
        ("GET", "/devices", {"POST"}),
        ("PATCH", vault.path, {"GET", "DELETE"}),
        ("PUT", f"{vault.path}/changesets", {"GET", "POST"}),
        ("DELETE", f"{vault.path}/snapshots", {"GET", "POST"}),
        ("GET", f"{vault.path}/devices/{vault.founder.id}", {"DELETE"}),
    ):
        answer = relay.ask(vault.founder, method, path).must_be(405, "method_not_allowed")
        told = {one.strip() for one in answer.headers.get("allow", "").split(",")}
        must_equal(told - {"HEAD", "OPTIONS"}, allowed, f"Allow for {path}")


@check("6", "An `If-Match` that is one strong tag but can't be a chain is")
def a_tag_that_is_no_chain_matches_nothing(relay: Relay) -> None:
    vault = relay.found()
    for tag in ('"short"', '""', '"not-base64url!"', f'"{"A" * 43}"'):
        vault.push(vault.founder.changeset(), if_match=tag).must_be(412, "head_moved", head=vault.genesis)
        vault.erase(if_match=tag).must_be(412, "head_moved", head=vault.genesis)


@check("6", "`If-Match` other than one strong tag |")
def an_if_match_that_is_not_one_strong_tag_is_malformed(relay: Relay) -> None:
    vault = relay.found()
    chain = vault.genesis["chain"]
    for tag in ("*", chain, f'W/"{chain}"', f'"{chain}", "{chain}"', f'"{chain}', ""):
        vault.push(vault.founder.changeset(), if_match=tag).must_be(400, "malformed_request")
        vault.erase(if_match=tag).must_be(400, "malformed_request")
