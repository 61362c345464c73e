"""Retention on SQLite holds the lock for a moment at a time: pushes wait for a transaction, not for a step."""

from collections.abc import Callable, Iterator
from pathlib import Path
from sqlite3 import Connection
from typing import TypeVar

import pytest

from relay.adapters.sqlite import SqliteLog
from relay.adapters.sqlite.database import ROWS_A_WRITE
from tests.contract.log_world import NOW_MS, TestedVault, seqs_in, uuid

W = TypeVar("W")
ROWS = 3 * ROWS_A_WRITE + 1
FEW_MORE = 3
"""Rows that a transaction changes besides: the vault's, an erasure's."""


class WatchedLog(SqliteLog):
    """Counts the rows that each of its transactions changes."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.changes: list[int] = []
        write = self._database.write

        def watched(work: Callable[[Connection], W]) -> W:
            def counted(db: Connection) -> W:
                before = db.total_changes
                result = work(db)
                self.changes.append(db.total_changes - before)
                return result

            return write(counted)

        self._database.write = watched  # type: ignore[method-assign]


@pytest.fixture
def log(tmp_path: Path) -> Iterator[WatchedLog]:
    log = WatchedLog(tmp_path / "relay.sqlite3")
    yield log
    log.close()


@pytest.fixture
def vault(log: WatchedLog) -> TestedVault:
    vault = TestedVault(log, uuid(1)).found()
    vault.push(*range(1, ROWS + 1))
    return vault


@pytest.mark.parametrize(("max_rows", "pruned"), [(1000, ROWS), (ROWS - 1, ROWS - 1), (ROWS_A_WRITE + 50, 150), (7, 7)])
def test_a_step_of_pruning_lets_pushes_in_between(
    log: WatchedLog, vault: TestedVault, max_rows: int, pruned: int
) -> None:
    """Else a push waits until a thousand texts are overwritten."""
    vault.complete(ROWS)
    log.changes.clear()
    step = log.prune(vault.vault_id, NOW_MS + 1, max_rows)
    assert step is not None
    assert (step.floor.seq, step.more) == (pruned, pruned < ROWS)
    assert step.floor == vault.info().floor
    assert pruned <= sum(log.changes) <= pruned + FEW_MORE * len(log.changes)
    assert max(log.changes) <= ROWS_A_WRITE + FEW_MORE


def test_a_step_of_sweeping_lets_pushes_in_between(log: WatchedLog, vault: TestedVault) -> None:
    """Else every household waits while another one's vault is erased."""
    other = TestedVault(log, uuid(2)).found()
    vault.erase()
    log.changes.clear()
    assert not log.sweep(1000)
    assert ROWS <= sum(log.changes) <= ROWS + FEW_MORE * len(log.changes)
    assert max(log.changes) <= ROWS_A_WRITE + FEW_MORE
    assert not log.is_unswept()
    other.push(5001)
    assert seqs_in(other.page()) == [1]


def test_sweeping_stops_after_the_rows_that_it_was_asked_for(log: WatchedLog, vault: TestedVault) -> None:
    """A function's time is bounded, and it asks between steps whether it is over."""
    vault.erase()
    log.changes.clear()
    assert log.sweep(ROWS_A_WRITE + 1)
    assert sum(log.changes) == ROWS_A_WRITE + 1


class Clock:
    """Time that passes by sleeping, and by ten milliseconds for each look at it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.rests: list[float] = []

    def monotonic(self) -> float:
        self.now += 0.01
        return self.now

    def sleep(self, seconds: float) -> None:
        self.rests.append(seconds)


@pytest.mark.parametrize("task", ["prune", "sweep"])
def test_between_two_transactions_of_retention_other_processes_find_the_file_free(
    log: WatchedLog, vault: TestedVault, monkeypatch: pytest.MonkeyPatch, task: str
) -> None:
    """Else `maintain` beside a server has the lock again before the server has looked, and pushes wait for good."""
    vault.complete(ROWS)
    if task == "sweep":
        vault.erase()
    log.changes.clear()
    clock = Clock()
    monkeypatch.setattr("relay.adapters.sqlite.database.time", clock)
    if task == "prune":
        log.prune(vault.vault_id, NOW_MS + 1, 1000)
    else:
        log.sweep(1000)
    assert len(log.changes) == 4
    assert clock.rests == [pytest.approx(0.01)] * 4
