"""§8 Retention, as far as it is visible from outside: at a relay that prunes while one looks."""

import time
from collections.abc import Callable

from relay_protocol.chain import Head
from relay_protocol.encoding import from_base64url
from sync_relay_conformance.device import Json
from sync_relay_conformance.log_verified import verify_log
from sync_relay_conformance.registry import check
from sync_relay_conformance.relay import Relay
from sync_relay_conformance.vault import Vault
from sync_relay_conformance.verdicts import NotApplicable, must, must_equal

MOST_SECONDS_WAITED = 15


def happens(what: Callable[[], bool]) -> bool:
    """Wait for something, for a while; return whether it happened."""
    ends = time.monotonic() + MOST_SECONDS_WAITED
    while not what():
        if time.monotonic() > ends:
            return False
        time.sleep(0.2)
    return True


def waits_until(pruned: Callable[[], bool]) -> None:
    """Wait for the relay's retention to run. Raises NotApplicable where it does not, for now."""
    if not happens(pruned):
        raise NotApplicable(f"retention did not run within {MOST_SECONDS_WAITED} s")


def needs_pruning(relay: Relay) -> None:
    """Raise NotApplicable where nothing grows old enough while one looks."""
    days = relay.configuration.retention["changeset_days"]
    if days > 0:
        raise NotApplicable(f"retention.changeset_days is {days}")


def place(pulled: Json) -> Json:
    """Return a changeset's place in the log."""
    return {"seq": pulled["seq"], "chain": pulled["chain"]}


def pruned_to(vault: Vault, covers: Json) -> None:
    """Have a snapshot cover the log up to a place, and wait until what is before it was pruned."""
    vault.snapshot(b"covers %d" % covers["seq"], covers)
    waits_until(lambda: vault.info()["floor"]["seq"] > 0)


@check(
    "8",
    "A changeset is pruned only if an *available* snapshot covers it **and** it is older than",
)
def only_what_an_available_snapshot_covers_is_pruned(relay: Relay) -> None:
    needs_pruning(relay)
    vault = relay.vault_of(4)
    log = vault.log()
    vault.announce(b"pending", place(log[3])).must_be(201)
    pruned_to(vault, place(log[1]))
    vault.ask("GET").must_be(200, floor=place(log[1]), head=place(log[3]))


@check("8", "(30), so pruning never takes what no snapshot holds.")
def a_young_changeset_is_not_pruned(relay: Relay) -> None:
    if relay.configuration.retention["changeset_days"] == 0:
        raise NotApplicable("retention.changeset_days is 0")
    vault = relay.vault_of(2)
    log = vault.log()
    vault.snapshot(b"covers all", place(log[1]))
    must_equal(vault.log(), log, "the log")


@check("7.7", "`since` < `floor.seq` is 410 `history_pruned`.", "| 410 | `history_pruned` |")
def what_is_before_the_floor_is_gone(relay: Relay) -> None:
    needs_pruning(relay)
    vault = relay.vault_of(4)
    log = vault.log()
    pruned_to(vault, place(log[1]))
    latest = dict(vault.latest().must_be(200).json["snapshot"])
    del latest["download"]
    for since in (0, 1):
        vault.pull(since).must_be(410, "history_pruned", floor=place(log[1]), snapshot=latest)
    vault.pull(2).must_be(200, changesets=log[2:])
    vault.pull(5).must_be(409, "cursor_ahead")


@check("7.7", "What is before the floor is in a snapshot, always (§8):", "the chain goes on from covers.chain")
def the_chain_goes_on_from_what_a_snapshot_covers(relay: Relay) -> None:
    needs_pruning(relay)
    vault = relay.vault_of(3)
    pruned_to(vault, place(vault.log()[1]))
    covers = vault.pull(0).must_be(410, "history_pruned").json["snapshot"]["covers"]
    vault.fill(2)
    head = verify_log(vault.id, vault.log(covers["seq"]), Head(covers["seq"], from_base64url(covers["chain"])))
    must_equal(head.as_json(), vault.head, "the head")


@check("7.6", "- **Also after pruning.**", "pruned changeset is still a duplicate.")
def a_duplicate_of_a_pruned_changeset_is_still_one(relay: Relay) -> None:
    needs_pruning(relay)
    vault = relay.found()
    changesets = vault.fill(3)
    log = vault.log()
    pruned_to(vault, place(log[2]))
    receipts = vault.push(*changesets).must_be(200).json["receipts"]
    for receipt, pulled in zip(receipts, log, strict=True):
        must_equal(receipt["status"], "duplicate", "the status")
        must_equal(place(receipt), place(pulled), "the first receipt's place")
        must_equal(receipt["received_at"], pulled["received_at"], "received_at")
    vault.push(changesets[0] | {"entity": "another"}).must_be(409, "changeset_conflict", ids=[changesets[0]["id"]])


@check("8", "Pruning drops what was sent; receipt, digest and chain stay")
def pruned_changesets_no_longer_count(relay: Relay) -> None:
    needs_pruning(relay)
    vault = relay.vault_of(3)
    pruned_to(vault, vault.head)
    vault.ask("GET").must_be(200, bytes=len(b"covers 3"))


@check("1", "it is never reused and never lowered, not by pruning either")
def seqs_go_on_after_pruning(relay: Relay) -> None:
    needs_pruning(relay)
    vault = relay.vault_of(2)
    pruned_to(vault, vault.head)
    receipt = vault.push(vault.founder.changeset()).must_be(201).json["receipts"][0]
    must_equal(receipt["seq"], 3, "the next seq")


@check("8", "Head, floor and seq never go down.")
def the_floor_goes_up_only(relay: Relay) -> None:
    needs_pruning(relay)
    vault = relay.vault_of(4)
    log = vault.log()
    pruned_to(vault, place(log[2]))
    vault.snapshot(b"covers less", place(log[0]))
    time.sleep(2.5)
    vault.ask("GET").must_be(200, floor=place(log[2]), head=place(log[3]))
    vault.announce(b"below the floor", place(log[1])).must_be(201)


@check(
    "8",
    "The newest `retention.snapshots` (3) available snapshots stay, and always the one with the highest `covers.seq`.",
    "ones go, blob and all.",
)
def older_snapshots_go_but_the_one_that_covers_most(relay: Relay) -> None:
    needs_pruning(relay)
    vault = relay.vault_of(2)
    kept = relay.configuration.retention["snapshots"]
    vault.snapshot(b"covers most", vault.head)
    older = [b"blob %d" % number for number in range(kept + 2)]
    urls = []
    for blob in older:
        urls.append(vault.snapshot(blob)["download"]["url"])
        time.sleep(0.003)
    staying = {vault.announcement(blob)["sha256"] for blob in (b"covers most", *older[-kept:])}

    def listed() -> set[str]:
        return {one["sha256"] for one in vault.ask("GET", "/snapshots").must_be(200).json["snapshots"]}

    waits_until(lambda: len(listed()) <= len(staying))
    must_equal(listed(), staying, "the snapshots that stay")
    must(happens(lambda: relay.transfer("GET", urls[0]).is_client_error), "that a dropped one's blob goes", "the blob")
    must(relay.transfer("GET", urls[-1]).content == older[-1], "the newest one's blob", "another")
