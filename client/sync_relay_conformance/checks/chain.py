"""§3 The digest and the chain, recomputed from what was pushed and pulled."""

from sync_relay_conformance.log_verified import verify_log
from sync_relay_conformance.registry import check
from sync_relay_conformance.relay import Relay
from sync_relay_conformance.verdicts import must_equal


@check("3", 'chain_0 = SHA-256(PAE("sync-relay/genesis/v1", vault_id))', "In JSON a chain is base64url.")
def the_genesis_chain_is_the_vault_s_own(relay: Relay) -> None:
    vault = relay.found()
    vault.register(vault.founder).must_be(200, head=vault.genesis)


@check(
    "3",
    'chain_n = SHA-256(PAE("sync-relay/chain/v1", chain_{n-1}, digest_n))',
    'digest = SHA-256(PAE("sync-relay/changeset/v1", vault_id,',
    "A client that recomputes it sees each changeset that was dropped, changed, reordered or",
    "a hash over everything in the log up to a seq (§3)",
    "PAE(p1, …, pn) = LE64(n) || LE64(length of p1) || p1 ||",
    "A piece is text in UTF-8, an integer as ASCII decimal text, or, for hashes, keys and signatures, the raw",
)
def every_link_of_the_chain_is_recomputed(relay: Relay) -> None:
    vault = relay.found()
    second = vault.join()
    vault.fill(3)
    vault.push(second.changeset(), second.changeset(schema_version=0), by=second).must_be(201)
    head = verify_log(vault.id, vault.log())
    must_equal(vault.head, head.as_json(), "the head")


@check("3", "The sealed fields go in as the UTF-8 of the strings that were sent, not decoded.")
def sealed_fields_go_into_the_digest_as_text(relay: Relay) -> None:
    vault = relay.found()
    for text in ("QUFB", "QUFB=", "é\U0001f600", "\u0000", ""):
        vault.push(vault.founder.changeset(nonce=text, ciphertext=text + "/+")).must_be(201)
    verify_log(vault.id, vault.log())


@check("3", "In JSON a chain is base64url.")
def receipts_and_pulls_tell_the_same_chain(relay: Relay) -> None:
    vault = relay.found()
    receipts = vault.push(*(vault.founder.changeset() for _ in range(2))).must_be(201).json["receipts"]
    pulled = vault.log()
    for name in ("id", "seq", "chain", "received_at"):
        must_equal([one[name] for one in receipts], [one[name] for one in pulled], f"{name} in receipts")
