"""§4 Signed requests: the parameters of a signature."""

from sync_relay_conformance.answer import Answer
from sync_relay_conformance.registry import check
from sync_relay_conformance.relay import Relay
from sync_relay_conformance.verdicts import NotApplicable


@check("4", "| `created` | required, an integer.")
def created_is_required_and_an_integer(relay: Relay) -> None:
    vault = relay.found()
    now = relay.clock.now()
    for written in (None, f'"{now}"', f"{now}.0", "?1", str(now) + ".5"):
        vault.ask("GET", parameters={"created": written}).must_be(401, "signature_invalid")


@check(
    "4",
    "Unix seconds, within `clock_skew_seconds` (300) of the relay's clock, either way; at the bound itself it holds",
    "| `clock_skew_seconds` | 300 | `created` (§4) |",
)
def created_may_be_off_by_the_skew_and_no_more(relay: Relay) -> None:
    vault = relay.found()
    skew, fuzz = relay.limit("clock_skew_seconds"), relay.clock.fuzz_seconds

    def created_off_by(seconds: int) -> Answer:
        return relay.clock.within_a_second(lambda now: vault.ask("GET", created=now + seconds))

    for right in (fuzz - skew, skew - fuzz):
        created_off_by(right).must_be(200)
    for wrong in (-skew - 1 - fuzz, skew + 1 + fuzz):
        created_off_by(wrong).must_be(401, "signature_expired")
    vault.ask("GET", created=0).must_be(401, "signature_expired")


@check("4", "| `keyid` | required, a string: the `device_id` |")
def keyid_is_required_and_a_string(relay: Relay) -> None:
    vault = relay.found()
    for written in (None, "a-token", "1", ":AAAA:"):
        vault.ask("GET", parameters={"keyid": written}).must_be(401, "signature_invalid")


@check("4", "| `alg` | optional; if there, the string `ed25519` |")
def alg_is_ed25519_where_it_is_there(relay: Relay) -> None:
    vault = relay.found()
    vault.ask("GET", parameters={"alg": None}).must_be(200)
    for written in ('"rsa-pss-sha512"', '"hmac-sha256"', '"ED25519"', "ed25519", '""'):
        vault.ask("GET", parameters={"alg": written}).must_be(401, "signature_invalid")


@check(
    "4",
    "at the second `expires` itself the signature still holds",
    "| `expires` | optional, an integer, honoured to the second.",
)
def expires_is_honoured_to_the_second(relay: Relay) -> None:
    vault = relay.found()
    fuzz = relay.clock.fuzz_seconds

    def expiring(off_seconds: int) -> Answer:
        return relay.clock.within_a_second(lambda now: vault.ask("GET", parameters={"expires": str(now + off_seconds)}))

    expiring(fuzz).must_be(200)
    expiring(-1 - fuzz).must_be(401, "signature_expired")
    ahead = f'"{relay.clock.now() + 60}"'
    vault.ask("GET", parameters={"expires": ahead}).must_be(401, "signature_invalid")


@check("4", "| `nonce`, `tag` | optional strings, ignored |")
def nonce_and_tag_are_ignored_strings(relay: Relay) -> None:
    vault = relay.found()
    for name in ("nonce", "tag"):
        vault.ask("GET", parameters={name: '"anything"'}).must_be(200)
        vault.ask("GET", parameters={name: "1"}).must_be(401, "signature_invalid")


@check("4", "Any other parameter is refused, and so is one of another type.")
def any_other_parameter_is_refused(relay: Relay) -> None:
    vault = relay.found()
    for parameters in ({"colour": '"blue"'}, {"created": "?1"}, {"Expires".lower(): "?1"}, {"keyid": ":AAAA:"}):
        vault.ask("GET", parameters=parameters).must_be(401, "signature_invalid")


@check("4", "4. `signature_expired`: `created` too far away, or `expires` past.", "| 401 | `signature_expired` | §4 |")
def both_times_are_judged(relay: Relay) -> None:
    vault = relay.found()
    now = relay.clock.now()
    if relay.limit("clock_skew_seconds") > now:
        raise NotApplicable("clock_skew_seconds lets any time pass")
    late = now + relay.limit("clock_skew_seconds") + 60
    vault.ask("GET", created=late, parameters={"expires": str(late)}).must_be(401, "signature_expired")
    vault.ask("GET", created=now, parameters={"expires": "1"}).must_be(401, "signature_expired")
