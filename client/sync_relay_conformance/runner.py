"""Running checks one after the other, each with vaults of its own."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import httpx

from sync_relay_conformance.registry import Check
from sync_relay_conformance.relay import Relay
from sync_relay_conformance.verdicts import Failed, NotApplicable

Outcome = Literal["passed", "failed", "not applicable", "interrupted"]


@dataclass(frozen=True, slots=True)
class Result:
    """How a check ended. `reason` says what failed, or why it is not applicable."""

    check: Check
    outcome: Outcome
    reason: str
    duration_seconds: float


def run(relay: Relay, checks: Iterable[Check], told: Callable[[Result], None]) -> list[Result]:
    """Run the checks, up to one that is interrupted; tell each result as it comes. What they founded is erased."""
    results: list[Result] = []
    for check in checks:
        started = time.monotonic()
        outcome, reason = _outcome(relay, check)
        left = _cleaned_up(relay)
        if left and outcome == "passed":
            outcome, reason = "failed", f"expected that its vaults can be erased, got {left} left"
        results.append(Result(check, outcome, reason, time.monotonic() - started))
        told(results[-1])
        if outcome == "interrupted":
            break
    return results


def _outcome(relay: Relay, check: Check) -> tuple[Outcome, str]:
    try:
        check.run(relay)
    except KeyboardInterrupt:
        return "interrupted", ""
    except NotApplicable as reason:
        return "not applicable", str(reason)
    except Failed as failure:
        return "failed", str(failure)
    except httpx.HTTPError as error:
        return "failed", f"expected an answer, got {type(error).__name__}"
    except (
        httpx.InvalidURL,
        LookupError,
        TypeError,
        ValueError,
        AttributeError,
        ArithmeticError,
        RecursionError,
    ) as error:
        return "failed", f"expected an answer as the protocol describes it, got one that gave {error!r}"
    return "passed", ""


def _cleaned_up(relay: Relay) -> list[str]:
    try:
        return relay.clean_up()
    except (httpx.HTTPError, Failed, LookupError, TypeError, ValueError) as error:
        return [str(error)]
