"""While the limiter is waited for the signer is looked up, and no more: what a request is told stays as it was."""

import pytest

from relay.adapters.memory import MemoryLog
from relay.config import Settings
from relay.ports import StoreUnavailable
from relay_protocol.limits import Limits, RateLimit
from tests.http.device import Device
from tests.http.events import drop_header, edit_header
from tests.http.faults import Faulty, Recorder
from tests.http.waited_limiter import WaitedLimiter
from tests.http.world import Vault, World

ONE_AN_HOUR = RateLimit(requests=1, window_seconds=3600)


class CountingLog:
    """A log that counts the look-ups of signers."""

    def __init__(self, log: MemoryLog) -> None:
        self._log, self.lookups = log, 0

    def __getattr__(self, name: str) -> object:
        self.lookups += name == "find_signer"
        return getattr(self._log, name)


@pytest.fixture
def vault() -> Vault:
    """A vault with a changeset, in a relay whose limiter is waited for."""
    vault = World(MemoryLog(), WaitedLimiter(), Settings(limits=Limits())).found()
    vault.fill([1])
    return vault


def exhausted(vault: Vault) -> Vault:
    """Let the next request to the vault be one too many."""
    vault.world.configure(rate_limit=ONE_AN_HOUR)
    vault.pull(address="203.0.113.50")
    return vault


def test_a_request_looks_its_signer_up_once(vault: Vault) -> None:
    log = CountingLog(vault.world.relay.log)  # type: ignore[arg-type]
    vault.world.replace(log=log)
    assert vault.pull().status == 200
    assert log.lookups == 1


def test_a_refused_request_touches_nothing_but_its_signer(vault: Vault) -> None:
    exhausted(vault)
    called: set[str] = set()
    vault.world.replace(log=Recorder("log", vault.world.relay.log, called))
    answer = vault.push(vault.founder.changeset(2), address="203.0.113.50")
    assert answer.outcome == (429, "rate_limited")
    assert called == {"log.find_signer"}


@pytest.mark.parametrize("error", [StoreUnavailable("down"), ZeroDivisionError()], ids=["down", "defect"])
def test_the_limiters_word_comes_before_what_the_look_up_raised(vault: Vault, error: Exception) -> None:
    exhausted(vault)
    vault.world.replace(log=Faulty(vault.world.relay.log, "find_signer", error))
    assert vault.pull(address="203.0.113.50").outcome == (429, "rate_limited")
    told = vault.world.telemetry
    assert not [*told.of("store_unavailable"), *told.of("failed"), *told.of("limiter_failed")]


@pytest.mark.parametrize(
    ("error", "outcome"), [(StoreUnavailable("down"), (503, "unavailable")), (ZeroDivisionError(), (500, "internal"))]
)
def test_what_the_look_up_raised_is_told_to_a_request_that_passes(
    vault: Vault, error: Exception, outcome: tuple[int, str]
) -> None:
    vault.world.replace(log=Faulty(vault.world.relay.log, "find_signer", error))
    assert vault.pull().outcome == outcome
    assert not vault.world.telemetry.of("limiter_failed")


def test_where_no_signer_can_be_named_nothing_is_looked_up(vault: Vault) -> None:
    log = CountingLog(vault.world.relay.log)  # type: ignore[arg-type]
    vault.world.replace(log=log)
    unsigned = vault.world.draft(None, "GET", f"{vault.path}/changesets")
    spoiled = vault.world.draft(vault.founder, "GET", f"{vault.path}/changesets")
    spoiled.after_signing.append(drop_header("signature"))
    other_algorithm = vault.world.draft(vault.founder, "GET", f"{vault.path}/changesets")
    other_algorithm.after_signing.append(edit_header("signature-input", lambda value: value.replace("ed25519", "rsa")))
    codes = [vault.world.send(draft).code for draft in (unsigned, spoiled, other_algorithm)]
    assert codes == ["signature_required", "signature_required", "signature_invalid"]
    newcomer = Device.named("newcomer")
    assert vault.register(newcomer, vault.endorsement(newcomer)).status == 201
    assert log.lookups == 0
