"""§7.6: `If-Match` of a push."""

from sync_relay_conformance.registry import check
from sync_relay_conformance.relay import Relay
from sync_relay_conformance.verdicts import must_equal


def tag(chain: str) -> str:
    """Write a strong tag."""
    return f'"{chain}"'


@check("7.6", '- **`If-Match: "<chain>"`** is optional: store only if the head still has this chain, else 412.')
def a_push_with_if_match_is_stored_on_that_head_only(relay: Relay) -> None:
    vault = relay.found()
    first = vault.push(vault.founder.changeset(), if_match=tag(vault.genesis["chain"])).must_be(201)
    stale = vault.push(vault.founder.changeset(), if_match=tag(vault.genesis["chain"]))
    stale.must_be(412, "head_moved", head=first.json["head"])
    vault.push(vault.founder.changeset(), if_match=tag(first.json["head"]["chain"])).must_be(201)
    must_equal(vault.head["seq"], 2, "the head's seq")


@check("7.6", "Where all are duplicates")
def if_match_does_not_matter_where_all_are_duplicates(relay: Relay) -> None:
    vault = relay.found()
    old = vault.fill(2)
    stale = tag(vault.genesis["chain"])
    vault.push(*old, if_match=stale).must_be(200)
    vault.push(old[0], vault.founder.changeset(), if_match=stale).must_be(412, "head_moved", head=vault.head)
    must_equal(vault.head["seq"], 2, "the head's seq")


@check("6", "| 412 | `head_moved` | `If-Match` is not the head's chain. Carries `head` |")
def another_vault_s_chain_is_not_this_head(relay: Relay) -> None:
    vault, other = relay.found(), relay.found()
    answer = vault.push(vault.founder.changeset(), if_match=tag(other.genesis["chain"]))
    answer.must_be(412, "head_moved", head=vault.genesis)


@check("7.6", "store only if the head still has this chain, else 412.")
def a_batch_with_a_stale_if_match_stores_nothing(relay: Relay) -> None:
    vault = relay.vault_of(2)
    stale = tag(vault.log()[0]["chain"])
    batch = [vault.founder.changeset() for _ in range(2)]
    vault.push(*batch, if_match=stale).must_be(412, "head_moved", head=vault.head)
    vault.push(*batch, if_match=tag(vault.head["chain"])).must_be(201)
