"""§9 Rate limits."""

import re
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from sync_relay_conformance.answer import Answer
from sync_relay_conformance.device import Device
from sync_relay_conformance.registry import check
from sync_relay_conformance.relay import Relay
from sync_relay_conformance.verdicts import NotApplicable, must, must_equal

MOST_REQUESTS = 2_000
THREADS = 8

_POLICY = re.compile(r'"(vault|address)";q=(\d+);w=(\d+)')
_LEFT = re.compile(r'"(vault|address)";r=(\d+);t=(\d+)')


class Told(NamedTuple):
    """What `RateLimit` tells: the policy's name, what remains, and seconds until the whole quota is back."""

    policy: str
    remaining: int
    reset_seconds: int


def told(answer: Answer) -> Told:
    """Read `RateLimit`. Raises Failed where it is not there."""
    text = answer.headers.get("ratelimit", "")
    match = _LEFT.fullmatch(text)
    must(match is not None, f'RateLimit: "vault";r=599;t=1 in the answer to {answer.asked}', text)
    assert match is not None
    return Told(match[1], int(match[2]), int(match[3]))


def quota(relay: Relay) -> tuple[int, int]:
    """Return requests and window in seconds. Raises NotApplicable without a rate limit."""
    limit = relay.configuration.limits["rate_limit"]
    if limit is None:
        raise NotApplicable("rate_limit is null")
    return limit["requests"], limit["window_seconds"]


def unsigned(relay: Relay, vault_id: str) -> Answer:
    """Ask about a vault without a signature: it counts, and costs the relay least."""
    return relay.send(relay.draft(None, "GET", f"/vaults/{vault_id}"), paced=False)


@check(
    "9",
    "Each request that names a vault in its path counts against (vault, client address);",
    'RateLimit-Policy: "vault";q=600;w=60',
    '| `rate_limit` | `{"requests":600,"window_seconds":60}` | §9; or null |',
)
def requests_about_a_vault_count(relay: Relay) -> None:
    requests, window = quota(relay)
    vault_id = str(uuid.uuid4())
    first, second = unsigned(relay, vault_id), unsigned(relay, vault_id)
    for answer in (first, second):
        must_equal(answer.headers.get("ratelimit-policy"), f'"vault";q={requests};w={window}', "RateLimit-Policy")
    must_equal(told(first).policy, "vault", "the policy")
    must_equal(told(first).remaining, requests - 1, "what remains after one request")
    must(told(second).remaining <= requests - 1, "less that remains", told(second).remaining)


@check("9", "{device_id}` count against (client address).", 'The other policy\'s name is `"address"`.')
def requests_about_devices_count_against_the_address(relay: Relay) -> None:
    requests, window = quota(relay)
    device = Device()
    for answer in (
        relay.ask(device, "POST", "/devices", {}),
        relay.ask(None, "POST", "/devices", {}),
        relay.ask(device, "GET", f"/devices/{device.id}"),
    ):
        must_equal(answer.headers.get("ratelimit-policy"), f'"address";q={requests};w={window}', "RateLimit-Policy")
        must_equal(told(answer).policy, "address", "the policy")


@check("9", "no other answer does, and none where `rate_limit` is null.", "No other request counts.")
def other_requests_do_not_count(relay: Relay) -> None:
    uncounted = [
        relay.ask(None, "GET", "/health"),
        relay.ask(None, "GET", "/config"),
        relay.ask(None, "GET", "/nowhere"),
    ]
    if relay.configuration.limits["rate_limit"] is None:
        uncounted.append(relay.ask(None, "GET", f"/vaults/{uuid.uuid4()}"))
    for answer in uncounted:
        must("ratelimit" not in answer.headers, f"no RateLimit in the answer to {answer.asked}", dict(answer.headers))
        must("ratelimit-policy" not in answer.headers, "no RateLimit-Policy", dict(answer.headers))


@check("6", "404 `route_not_found`, 405 and the 413 of a body come before the limiter, so these answers carry no")
def what_is_refused_before_the_limiter_carries_no_fields(relay: Relay) -> None:
    path = f"/vaults/{uuid.uuid4()}"
    too_large = b"x" * (relay.limit("max_body_bytes") + 1)
    for answer in (
        relay.ask(None, "GET", f"{path}/nowhere").must_be(404, "route_not_found"),
        relay.ask(None, "PUT", path).must_be(405, "method_not_allowed"),
        relay.ask(None, "POST", f"{path}/changesets", too_large).must_be(413, "body_too_large"),
    ):
        must("ratelimit" not in answer.headers, f"no RateLimit in the answer to {answer.asked}", dict(answer.headers))


@check("9", "Every answer to a counted request carries `RateLimit-Policy` and `RateLimit`")
def refusals_of_counted_requests_carry_the_fields_too(relay: Relay) -> None:
    requests, window = quota(relay)
    vault = relay.found()
    for answer in (
        vault.ask("GET"),
        vault.push(vault.founder.changeset()),
        vault.ask("POST", "/changesets", b"{"),
        vault.ask("GET", query=[("a", "b")]),
        vault.ask("GET", by=Device()),
        vault.ask("DELETE"),
        vault.shown(b"a blob"),
    ):
        must_equal(answer.headers.get("ratelimit-policy"), f'"vault";q={requests};w={window}', "RateLimit-Policy")
        told(answer)


@check("9", "never a header that anyone can send.")
def a_header_does_not_make_another_client(relay: Relay) -> None:
    requests, _ = quota(relay)
    vault_id = str(uuid.uuid4())

    def from_another(number: int) -> Answer:
        claimed = f"192.0.2.{number}"
        fields = {"x-forwarded-for": claimed, "forwarded": f"for={claimed}", "x-real-ip": claimed}
        return relay.send(relay.draft(None, "GET", f"/vaults/{vault_id}", fields=fields), paced=False)

    with ThreadPoolExecutor(THREADS) as pool:
        remaining = [told(answer).remaining for answer in pool.map(from_another, range(min(3 * THREADS, requests)))]
    must(min(remaining) < requests - 1 or requests == 1, "one quota for all of them", remaining)


def used_up(relay: Relay, vault_id: str) -> list[Answer]:
    """Use up a vault's quota by many requests at once; return the answers, the last of which are refusals."""
    requests, window = quota(relay)
    if requests > MOST_REQUESTS:
        raise NotApplicable(f"rate_limit.requests is {requests}, too many to use up here")
    answers: list[Answer] = []
    started = time.monotonic()
    with ThreadPoolExecutor(THREADS) as pool:
        while time.monotonic() < started + window:
            many = max(1, min(requests, told(answers[-1]).remaining if answers else requests) + 1)
            answers += pool.map(lambda _: unsigned(relay, vault_id), range(many))
            if answers[-1].status == 429:
                return answers
            came_back = (time.monotonic() - started) * requests / window
            must(len(answers) <= requests + came_back + 1, f"a refusal after {requests} requests", len(answers))
    raise NotApplicable(f"a quota of {requests} in {window} s comes back faster than it is used up here")


@check(
    "9",
    "A window's whole quota may come at once.",
    "A 429 carries",
    "| 429 | `rate_limited` | carries `Retry-After` |",
    "the store keeps one time per key, `due`, in the past at first.",
    "3. Rate limit (429).",
)
def the_quota_may_come_at_once_and_no_more(relay: Relay) -> None:
    requests, window = quota(relay)
    vault_id = str(uuid.uuid4())
    started = time.monotonic()
    answers = used_up(relay, vault_id)
    passed = [answer for answer in answers if answer.status != 429]
    came_back = (time.monotonic() - started) * requests / window
    must(len(passed) >= requests, f"{requests} requests that pass", len(passed))
    must(len(passed) <= requests + came_back + 1, f"{requests} and what came back since", len(passed))
    refused = answers[-1].must_be(429, "rate_limited")
    must_equal(told(refused).remaining, 0, "what remains at a refusal")
    must(told(refused).reset_seconds <= window, f"at most {window} s until the whole quota is back", told(refused))
    retry_after = refused.headers.get("retry-after", "")
    must(retry_after.isdigit() and int(retry_after) >= 1, "Retry-After in whole seconds, at least 1", retry_after)
    wrong = relay.draft(None, "GET", f"/vaults/{vault_id}", query=[("colour", "blue")])
    judged_first = [relay.send(wrong, paced=False).code for _ in range(3)]
    must("rate_limited" in judged_first, "the rate limit before the query and the signature", judged_first)
    another = unsigned(relay, str(uuid.uuid4())).must_be(401, "signature_required")
    must_equal(told(another).remaining, requests - 1, "what remains for another vault")
    time.sleep(min(int(retry_after), window))
    unsigned(relay, vault_id).must_be(401, "signature_required")


@check("9", "remaining r = floor(", "in whole seconds, rounded up          until the whole quota is back")
def remaining_and_reset_follow_from_each_other(relay: Relay) -> None:
    requests, window = quota(relay)
    vault_id = str(uuid.uuid4())
    interval = window / requests
    for _ in range(min(20, requests)):
        now = told(unsigned(relay, vault_id))
        used = requests - now.remaining
        least, most = (used - 1) * interval, used * interval
        must(least - 1e-6 <= now.reset_seconds < most + 1, f"a reset of {least:.2f} to {most:.2f} s, rounded up", now)
