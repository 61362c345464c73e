"""§7.6: `Sync-Relay-Snapshot`, which asks for a snapshot."""

from sync_relay_conformance.answer import Answer
from sync_relay_conformance.registry import check
from sync_relay_conformance.relay import Relay
from sync_relay_conformance.vault import Vault
from sync_relay_conformance.verdicts import NotApplicable, must_equal

MOST_PUSHES = 200
"""More are not made for one check."""
LOW, HIGH = 1_000, 5_000


def grown_to(vault: Vault, seq: int) -> Answer:
    """Fill the log up to a seq; return the last answer."""
    size = vault.relay.limit("max_batch")
    left = seq - vault.head["seq"]
    if left > size * MOST_PUSHES:
        raise NotApplicable(f"max_batch is {size}: {left} changesets are too many pushes")
    vault.fill(left - 1)
    return vault.push(vault.founder.changeset()).must_be(201)


def hint(answer: Answer) -> str | None:
    """Return what the answer asks for."""
    return answer.headers.get("sync-relay-snapshot")


@check("7.6", "on the answer asks the client for a snapshot once 1,000 changesets lie past the last")
def a_snapshot_is_asked_for_once_1000_changesets_are_uncovered(relay: Relay) -> None:
    vault = relay.found()
    must_equal(hint(vault.push(vault.founder.changeset())), None, "Sync-Relay-Snapshot at 1")
    must_equal(hint(grown_to(vault, LOW - 1)), None, "Sync-Relay-Snapshot at 999")
    last = vault.founder.changeset()
    must_equal(hint(vault.push(last).must_be(201)), "low", "Sync-Relay-Snapshot at 1000")
    must_equal(hint(vault.push(last).must_be(200)), "low", "Sync-Relay-Snapshot where that is sent again")


@check("7.6", "covered one, and **`high`** once 5,000 do.")
def it_is_asked_for_urgently_once_5000_are_until_one_covers_them(relay: Relay) -> None:
    vault = relay.found()
    must_equal(hint(grown_to(vault, HIGH - 1)), "low", "Sync-Relay-Snapshot at 4999")
    last = grown_to(vault, HIGH)
    must_equal(hint(last), "high", "Sync-Relay-Snapshot at 5000")
    vault.snapshot(b"a blob", last.json["head"])
    must_equal(hint(vault.push(vault.founder.changeset())), None, "Sync-Relay-Snapshot once they are covered")
