"""§4 The relay's clock."""

from email.utils import parsedate_to_datetime

from sync_relay_conformance.registry import check
from sync_relay_conformance.relay import Relay
from sync_relay_conformance.verdicts import must

SLACK_SECONDS = 5
"""`Date` has whole seconds, and the answer was under way."""


@check("4", "**The clock.** Every response carries `Date`, so that a client whose clock is off can tell by how much.")
def date_is_the_clock_that_signatures_are_judged_by(relay: Relay) -> None:
    vault = relay.found()
    for path in ("/health", "/config", "/nowhere", vault.path):
        asked = relay.clock.now()
        answer = relay.ask(vault.founder if path == vault.path else None, "GET", path)
        date = answer.headers.get("date")
        must(date is not None, f"a Date in the answer to {answer.asked}", "none")
        seconds = parsedate_to_datetime(str(date)).timestamp()
        told_by = asked - SLACK_SECONDS <= seconds <= relay.clock.now() + SLACK_SECONDS
        must(told_by, "a Date that goes on with the relay's clock", date)
    skew = relay.limit("clock_skew_seconds")
    by_date = int(parsedate_to_datetime(str(vault.ask("GET").headers["date"])).timestamp())
    vault.ask("GET", created=by_date + skew + SLACK_SECONDS).must_be(401, "signature_expired")
    vault.ask("GET", created=by_date + max(0, skew - SLACK_SECONDS)).must_be(200)
