"""A run of retention that has not the time for all: it ends between two steps, no part waits, and the next go on."""

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from functions.maintenance import app
from relay.adapters.memory import MemoryBlobs, MemoryLimiter, MemoryLog
from relay.config import Settings
from relay.core import retention
from relay.core.retention import BLOBS_AT_A_TIME, SNAPSHOTS_AT_A_TIME, Tally
from relay_protocol.limits import Limits, Retention
from tests.contract.blob_worlds import MemoryBlobWorld, key_of
from tests.contract.log_world import NOW_MS, TestedVault, uuid
from tests.http.world import World

ALL_GOES = Retention(changeset_days=0, snapshots=1)
LATER_US = (NOW_MS + 7_200_000) * 1000
VAULTS = 12
PUT_ASIDE = 5


def steps(number: int) -> Callable[[], bool]:
    """Return what has time for so many steps of each part."""
    asked = iter(range(1, number))
    return lambda: next(asked, None) is not None


class Recording:
    """A port that notes what it is asked, in order."""

    def __init__(self, port: Any, told: list[str]) -> None:
        self._port, self._told = port, told

    def __getattr__(self, name: str) -> Any:
        self._told.append(name)
        return getattr(self._port, name)


class PutAside(MemoryLog):
    """A log that also has things put aside, of which it looks at one at a time, in a vault of its own each."""

    def __init__(self) -> None:
        super().__init__()
        self.aside = [uuid(number) for number in range(1, PUT_ASIDE + 1)]

    def reap(self, after: str, limit: int) -> str | None:  # noqa: ARG002 -- the port's
        later = [place for place in self.aside if place > after]
        if not later:
            return None
        self.aside.remove(later[0])
        return later[0]


class Store:
    """Vaults with all that retention does: something to prune, to drop, orphans, things put aside, and erased ones."""

    def __init__(self) -> None:
        self.log, self.blobs = PutAside(), MemoryBlobs()
        blobs = MemoryBlobWorld(self.blobs)
        for number in range(1, VAULTS + 1):
            vault = TestedVault(self.log, uuid(number)).found()
            vault.push(1, 2)
            for name in (b"old", b"new"):
                snapshot = vault.complete(2, name)
                blobs.store(snapshot.blob_key, name)
            blobs.store(key_of(number, 0xF000), b"its upload was never completed")

    def run(self, has_time: Callable[[], bool], start: str = "") -> Tally:
        return retention.run(self.log, self.blobs, MemoryLimiter(), ALL_GOES, LATER_US, start=start, has_time=has_time)

    def left(self) -> int:
        """How much retention has still to do."""
        infos = [self.log.vault(vault_id, LATER_US // 1000) for vault_id in self.log.vault_ids("", 100)]
        unpruned = sum(info.changeset_bytes > 0 for info in infos if info)
        return unpruned + len(list(self.blobs.keys())) - VAULTS + len(self.log.aside)


def places() -> Iterator[str]:
    chance = random.Random(5)
    while True:
        yield uuid(chance.randrange(2 * VAULTS))


def test_a_run_that_has_the_time_does_all(store: Store) -> None:
    tally = store.run(lambda: True, start=uuid(7))
    assert (tally.vaults, tally.pruned_changesets, tally.dropped_snapshots) == (VAULTS, 2 * VAULTS, VAULTS)
    assert (tally.orphaned_blobs, tally.finished) == (VAULTS, True)
    assert store.left() == 0


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.mark.parametrize("at_a_time", [1, 2, 5])
def test_what_one_run_leaves_later_ones_do(store: Store, at_a_time: int) -> None:
    start = places()
    tallies = [store.run(steps(at_a_time), next(start))]
    assert not tallies[0].finished
    while store.left():
        tallies.append(store.run(steps(at_a_time), next(start)))
        assert len(tallies) < 40 * VAULTS
    assert sum(tally.orphaned_blobs for tally in tallies) == VAULTS
    assert sum(tally.pruned_changesets for tally in tallies) == 2 * VAULTS


def test_a_run_without_any_time_does_a_step_of_each_part(store: Store) -> None:
    told: list[str] = []
    store.log = Recording(store.log, told)  # type: ignore[assignment]
    before = store.left()
    assert store.run(lambda: False).finished is False
    assert {"sweep", "prune", "reap"} <= set(told)
    assert before - 2 - PUT_ASIDE - BLOBS_AT_A_TIME < store.left() < before


def test_no_part_waits_for_another(store: Store) -> None:
    """Erased vaults without end, say, must not keep the others from being pruned."""
    store.log.sweep = lambda max_rows: True  # type: ignore[method-assign] # noqa: ARG005 -- the port's
    tally = store.run(steps(VAULTS + 1))
    assert (tally.finished, store.left()) == (False, 0)


@pytest.mark.parametrize("uploads", [BLOBS_AT_A_TIME + 1, 5 * BLOBS_AT_A_TIME])
def test_a_step_does_no_more_in_a_larger_store(store: Store, uploads: int) -> None:
    """One vault with uploads without number that were never completed, and one with more snapshots than are kept."""
    blobs = MemoryBlobWorld(store.blobs)
    for number in range(uploads):
        blobs.store(key_of(1, 0xA000 + number), b"")
    crowded = TestedVault(store.log, uuid(2))
    for number in range(uploads):
        crowded.complete(0, b"%d" % number)
    told: list[str] = []
    store.blobs = Recording(store.blobs, told)  # type: ignore[assignment]
    in_a_step: list[int] = []

    def has_time() -> bool:
        in_a_step.append(len(told))
        told.clear()
        return True

    tally = store.run(has_time)
    assert tally.orphaned_blobs >= uploads
    assert tally.dropped_snapshots >= uploads
    assert max(in_a_step) <= BLOBS_AT_A_TIME + SNAPSHOTS_AT_A_TIME + 1, "a listing begins once"


class Remaining:
    """A Lambda context whose time passes by so much at each question."""

    def __init__(self, milliseconds: int, each: int) -> None:
        self._milliseconds, self._each = milliseconds, each

    def get_remaining_time_in_millis(self) -> int:
        self._milliseconds -= self._each
        return self._milliseconds


@pytest.mark.parametrize(
    ("context", "finished"),
    [(None, True), (Remaining(900_000, 1), True), (Remaining(61_001, 1_000), False), (Remaining(1_000, 1), False)],
)
def test_the_function_ends_before_lambda_ends_it(
    monkeypatch: pytest.MonkeyPatch, context: Remaining | None, *, finished: bool
) -> None:
    world = World(MemoryLog(), MemoryLimiter(), Settings(limits=Limits()))
    world.found()
    world.found()
    monkeypatch.setattr(app, "relay_from_environment", lambda: world.relay)
    assert app.handler({}, context)["finished"] is finished
    assert world.telemetry.of("retention_ran")[0][0]["finished"] is finished


def test_each_run_begins_at_a_place_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(MemoryLog(), MemoryLimiter(), Settings(limits=Limits()))
    told: list[str] = []

    def run(*_: Any, start: str, **__: Any) -> Tally:
        told.append(start)
        return Tally()

    monkeypatch.setattr(app, "relay_from_environment", lambda: world.relay)
    monkeypatch.setattr(retention, "run", run)
    app.handler({}, None)
    app.handler({}, None)
    assert len(set(told)) == 2
