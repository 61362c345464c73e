"""What holds of every answer: looked at in those of the whole run, and of a round through all endpoints."""

from sync_relay_conformance.answer import REFUSED, Answer
from sync_relay_conformance.device import Device
from sync_relay_conformance.registry import check
from sync_relay_conformance.relay import Relay
from sync_relay_conformance.shapes import NO_CONTENT, check_shape
from sync_relay_conformance.verdicts import must, must_equal

ENOUGH_ANSWERS = 1_000
"""After so many there was everything."""


def answers_of(relay: Relay) -> list[Answer]:
    """Return all answers that came so far; ask for everything once, and for some of it wrongly, if they are few."""
    if len(relay.answers) < ENOUGH_ANSWERS:
        go_round(relay)
    return list(relay.answers)


def go_round(relay: Relay) -> None:
    """Ask for everything once, and for some of it wrongly."""
    vault = relay.vault_of(2)
    device = vault.join()
    relay.ask(None, "GET", "/health")
    relay.ask(None, "GET", "/config")
    relay.ask(device, "GET", f"/devices/{vault.founder.id}")
    vault.announce(b"pending")
    vault.snapshot(b"a blob")
    for below in ("", "/devices", "/changesets", "/snapshots", "/snapshots/latest", "/nowhere"):
        vault.ask("GET", below)
        vault.ask("GET", below, by=Device())
        relay.ask(None, "GET", vault.path + below)
    vault.push(vault.founder.changeset(entity=""))
    vault.push(vault.founder.changeset(), if_match='"a"')
    vault.pull(since=9)
    vault.ask("PUT", "")
    vault.revoke(device)
    vault.erase()


@check("2", "An answer holds exactly the members named here;", "and the members that the table names.")
def every_answer_holds_exactly_the_named_members(relay: Relay) -> None:
    for answer in answers_of(relay):
        check_shape(answer)


@check("4", "Every response carries `Date`")
def every_answer_carries_date(relay: Relay) -> None:
    for answer in answers_of(relay):
        must("date" in answer.headers, f"a Date in the answer to {answer.asked}", sorted(answer.headers))


@check("2", "Errors are `application/problem+json` (§6).", "Bodies are JSON (RFC 8259) in UTF-8")
def every_body_says_what_it_is(relay: Relay) -> None:
    for answer in answers_of(relay):
        if answer.status == NO_CONTENT:
            continue
        media_type = answer.headers.get("content-type", "").partition(";")[0].strip()
        expected = "application/problem+json" if answer.status >= REFUSED else "application/json"
        must_equal(media_type, expected, f"the media type of the {answer.status} to {answer.asked}")


@check("6", "| 500 | `internal` |", "| 503 | `unavailable` |")
def no_answer_is_a_failure_of_the_relay(relay: Relay) -> None:
    for answer in answers_of(relay):
        must(
            answer.code != "internal" and answer.status not in {500, 502, 504},
            f"no failure at {answer.asked}",
            answer.outcome,
        )
