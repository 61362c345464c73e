"""§7.7: a page's size in bytes."""

from sync_relay_conformance.registry import check
from sync_relay_conformance.relay import Relay, encode
from sync_relay_conformance.vault import Vault
from sync_relay_conformance.verdicts import NotApplicable, must, must_equal


def vault_whose_page_has(relay: Relay, size_bytes: int) -> Vault:
    """Found a vault whose first two changesets make a page of so many bytes, going by what small ones make."""
    small = relay.found()
    small.push(*(small.founder.changeset(ciphertext="") for _ in range(3))).must_be(201)
    padding = size_bytes - len(small.pull(limit=2).must_be(200).body)
    if padding // 2 + 1_000 > relay.limit("max_body_bytes"):
        raise NotApplicable("two bodies can't fill a page here")
    vault = relay.found()
    for length in (padding // 2, padding - padding // 2, 0):
        vault.push(vault.founder.changeset(ciphertext="x" * length)).must_be(201)
    return vault


@check("7.7", "A page ends early once the answer would pass `max_page_bytes` (counted before any content coding),")
def a_page_fills_max_page_bytes_and_no_more(relay: Relay) -> None:
    most = relay.limit("max_page_bytes")
    full = vault_whose_page_has(relay, most)
    page = full.pull().must_be(200, cursor=2, has_more=True)
    must_equal(len(page.body), most, "bytes of a full page")
    full.pull(2).must_be(200, cursor=3, has_more=False)
    over = vault_whose_page_has(relay, most + 1)
    over.pull().must_be(200, cursor=1, has_more=True)


@check("7.7", "but it always holds", "at least one changeset if there is one.")
def a_page_holds_at_least_one_changeset(relay: Relay) -> None:
    vault = relay.found()
    bare = vault.founder.changeset(ciphertext="")
    room = relay.limit("max_body_bytes") - len(encode(bare))
    changesets = [bare | {"ciphertext": "x" * room}, vault.founder.changeset()]
    for changeset in changesets:
        vault.push(changeset).must_be(201)
    seen, since = [], 0
    while since < len(changesets):
        page = vault.pull(since).must_be(200).json
        must(page["cursor"] > since, "a page that goes on", page["cursor"])
        seen += [one["id"] for one in page["changesets"]]
        since = page["cursor"]
    must_equal(seen, [one["id"] for one in changesets], "what the pages hold")


@check("7.1", "| `max_page_bytes` | 4 MiB | a pull's answer |")
def pages_in_a_row_hold_the_whole_log(relay: Relay) -> None:
    vault = relay.found()
    most = relay.limit("max_page_bytes")
    part = min(most // 3, relay.limit("max_body_bytes") // 2)
    if 5 * part > 64 * 2**20:
        raise NotApplicable(f"max_page_bytes is {most}")
    ids = []
    for _ in range(5):
        changeset = vault.founder.changeset(nonce="é", ciphertext="x" * part)
        vault.push(changeset).must_be(201)
        ids.append(changeset["id"])
    since, seen = 0, []
    while since < len(ids):
        page = vault.pull(since).must_be(200)
        must(len(page.body) <= most or len(page.json["changesets"]) == 1, f"at most {most} bytes", len(page.body))
        seen += [one["id"] for one in page.json["changesets"]]
        since = page.json["cursor"]
    must_equal(seen, ids, "what the pages hold")
