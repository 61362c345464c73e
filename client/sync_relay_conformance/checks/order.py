"""§6 The order of the checks: of two faults the one that comes first is told."""

import uuid

from sync_relay_conformance.device import Device
from sync_relay_conformance.draft import without
from sync_relay_conformance.registry import check
from sync_relay_conformance.relay import Relay, encode
from sync_relay_conformance.vault import Vault
from sync_relay_conformance.verdicts import must


def too_large(relay: Relay) -> bytes:
    """Return a body that is one byte too long."""
    return b"x" * (relay.limit("max_body_bytes") + 1)


@check("6", "1. Route (404) and method (405).")
def route_and_method_come_before_the_body_s_size(relay: Relay) -> None:
    relay.ask(None, "POST", "/nowhere", too_large(relay)).must_be(404, "route_not_found")
    relay.ask(None, "PUT", f"/vaults/{uuid.uuid4()}", too_large(relay)).must_be(405, "method_not_allowed")


@check("6", "2. Body size (413), by `Content-Length` or what was sent.")
def the_body_s_size_comes_before_query_and_signature(relay: Relay) -> None:
    path = f"/vaults/{uuid.uuid4()}/changesets"
    answer = relay.ask(None, "POST", path, too_large(relay), query=[("colour", "blue")])
    answer.must_be(413, "body_too_large", limit=relay.limit("max_body_bytes"))


@check("6", "4. Query parameters (400).")
def query_parameters_come_before_the_signature(relay: Relay) -> None:
    vault = relay.found()
    wrong = [("colour", "blue")]
    relay.ask(None, "GET", f"{vault.path}/changesets", query=wrong).must_be(400, "malformed_request")
    vault.ask("GET", "/changesets", query=wrong, covers=without("@path")).must_be(400, "malformed_request")


@check("6", "5. Signature, in §4's order (401).", "So an unsigned request learns nothing about a vault.")
def the_signature_comes_before_membership_and_body(relay: Relay) -> None:
    vault = relay.found()
    nowhere = Vault.drawn(relay, vault.founder)
    answers = [relay.ask(None, "GET", one.path).must_be(401, "signature_required") for one in (vault, nowhere)]
    must(answers[0].body == answers[1].body, "the same answer for both", [one.body for one in answers])
    vault.ask("POST", "/changesets", b"{", created=1).must_be(401, "signature_expired")
    relay.ask(None, "POST", f"{vault.path}/changesets", b"{").must_be(401, "signature_required")


@check("6", "6. Membership: `device_revoked`, `vault_not_found`.")
def membership_comes_before_the_body(relay: Relay) -> None:
    vault = relay.found()
    stranger, revoked = relay.found().founder, vault.join()
    vault.revoke(revoked).must_be(204)
    for body in (b"{", encode({})):
        vault.ask("POST", "/changesets", body, by=stranger).must_be(404, "vault_not_found")
        vault.ask("POST", "/changesets", body, by=revoked).must_be(403, "device_revoked")
    vault.pull(since="x", by=stranger).must_be(404, "vault_not_found")
    vault.ask("DELETE", by=stranger).must_be(404, "vault_not_found")


@check(
    "6",
    "7. Body missing (400), media type (415), JSON and `If-Match` (400), fields and the values of",
)
def if_match_comes_before_the_fields(relay: Relay) -> None:
    vault = relay.found()
    weak = {"if-match": 'W/"a"'}
    vault.ask("POST", "/changesets", {}, fields=weak).must_be(400, "malformed_request")
    plain = weak | {"content-type": "text/plain"}
    vault.ask("POST", "/changesets", b"{}", fields=plain).must_be(415, "unsupported_media_type")


@check("6", "- a push: `origin_mismatch`, `changeset_conflict`, `head_moved`, `quota_exceeded`;")
def a_push_is_judged_in_order(relay: Relay) -> None:
    vault = relay.vault_of(1)
    taken = vault.founder.changeset(id=vault.log()[0]["id"], entity="another")
    stale = f'"{vault.genesis["chain"]}"'
    vault.push(taken, vault.founder.changeset(origin_device=Device().id), if_match=stale).must_be(
        403, "origin_mismatch"
    )
    vault.push(taken, vault.founder.changeset(), if_match=stale).must_be(409, "changeset_conflict", ids=[taken["id"]])
    vault.push(vault.founder.changeset(), if_match=stale).must_be(412, "head_moved", head=vault.head)


@check(
    "6",
    "- an announcement: `body_too_large`, `snapshot_conflict` or the one already announced, `cursor_ahead`,",
    "`covers_mismatch`, `quota_exceeded`;",
)
def an_announcement_is_judged_in_order(relay: Relay) -> None:
    vault = relay.found()
    vault.announce(b"a blob").must_be(201)
    ahead = {"seq": 9, "chain": vault.genesis["chain"]}
    too_much = relay.limit("max_snapshot_bytes") + 1
    vault.announce(b"a blob", ahead, size=too_much).must_be(413, "body_too_large")
    vault.announce(b"a blob", ahead).must_be(409, "snapshot_conflict")
    vault.announce(b"another", ahead).must_be(409, "cursor_ahead", head=vault.genesis)
    for number in range(relay.limit("max_pending_snapshots") - 1):
        vault.announce(b"blob %d" % number).must_be(201)
    vault.announce(b"another", ahead).must_be(409, "cursor_ahead", head=vault.genesis)
    vault.announce(b"another", {"seq": 0, "chain": "A" * 43}).must_be(422, "covers_mismatch")
    vault.announce(b"a blob").must_be(200)


@check("6", "- an erasure: `If-Match` (400), `precondition_required` (428), `head_moved` (412).")
def an_erasure_is_judged_in_order(relay: Relay) -> None:
    vault = relay.found()
    vault.erase(if_match="*").must_be(400, "malformed_request")
    vault.ask("DELETE").must_be(428, "precondition_required")
    vault.erase(if_match='"a"').must_be(412, "head_moved", head=vault.genesis)
    vault.ask("GET").must_be(200)
