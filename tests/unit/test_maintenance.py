"""Retention beside the server ends with it."""

from threading import Event

import pytest

from functions.maintenance import app
from local.maintenance import Maintenance
from relay.adapters.memory import MemoryLimiter, MemoryLog
from relay.config import Settings
from relay.ports import StoreUnavailable
from relay.service import Relay
from tests.http.world import World


@pytest.fixture
def relay() -> Relay:
    return World(MemoryLog(), MemoryLimiter(), Settings()).relay


def test_it_ends_when_it_is_told_to(monkeypatch: pytest.MonkeyPatch, relay: Relay) -> None:
    ran = Event()
    monkeypatch.setattr("local.maintenance.maintain", lambda _: ran.set())
    maintenance = Maintenance(relay)
    maintenance.start()
    assert ran.wait(30)
    maintenance.stop()
    assert not maintenance._thread.is_alive()


def test_the_function_gives_vaults_new_epochs_when_it_is_asked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(MemoryLog(), MemoryLimiter(), Settings())
    vaults = [world.found() for _ in range(2)]
    epochs = [vault.info()["epoch"] for vault in vaults]
    monkeypatch.setattr(app, "relay_from_environment", lambda: world.relay)
    assert app.handler({"task": "new-epoch"}, None) == {"vaults": 2}
    renewed = [vault.info()["epoch"] for vault in vaults]
    assert not set(renewed) & set(epochs)
    assert app.handler({"source": "aws.events"}, None)["vaults"] == 2
    assert [vault.info()["epoch"] for vault in vaults] == renewed, "the schedule leaves them"


def test_what_a_function_meets_is_told_and_no_message_reaches_lambda(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lambda writes the message of what it is told to the log, and a defect's may hold the id of a vault."""
    log = MemoryLog()
    world = World(log, MemoryLimiter(), Settings())
    monkeypatch.setattr(app, "relay_from_environment", lambda: world.relay)
    errors = iter([KeyError("id of a vault"), StoreUnavailable("throttled")])

    def sweep(max_rows: int) -> bool:
        assert max_rows > 0
        raise next(errors)

    monkeypatch.setattr(log, "sweep", sweep)
    with pytest.raises(app.MaintenanceFailed) as raised:
        app.handler({}, None)
    assert (str(raised.value), raised.value.__suppress_context__) == ("", True)
    with pytest.raises(StoreUnavailable):
        app.handler({}, None)
    assert [kind for kind, _ in world.telemetry.told] == ["failed", "store_unavailable"]
    assert world.telemetry.of("store_unavailable")[0][1] == "throttled"


def test_a_server_that_could_not_start_has_nothing_to_stop(relay: Relay) -> None:
    Maintenance(relay).stop()
