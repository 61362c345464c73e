"""A file that another process has locked is waited for, up to a deadline for the whole transaction."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from relay.adapters.sqlite import SqliteLog, waiting
from relay.ports import StoreUnavailable
from tests.contract.log_world import TestedVault, seqs_in, uuid

TIMEOUT_SECONDS = 5


class Clock:
    """A clock that only waiting moves; `on_pause` is what others do meanwhile."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.pauses: list[float] = []
        self.look_seconds = 0.0
        self.on_pause: Callable[[], None] = lambda: None

    def monotonic(self) -> float:
        self.seconds += self.look_seconds / 2  # asked before and after each look
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.seconds += seconds
        self.on_pause()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Pauses are as long as they may be."""
    clock = Clock()
    monkeypatch.setattr(waiting, "time", clock)
    monkeypatch.setattr("random.uniform", lambda _, most: most)
    return clock


@pytest.fixture
def vault(tmp_path: Path, clock: Clock) -> Iterator[TestedVault]:
    log = SqliteLog(tmp_path / "relay.sqlite3", journal="delete", busy_timeout_seconds=TIMEOUT_SECONDS)
    assert clock.pauses == []
    vault = TestedVault(log, uuid(1)).found()
    vault.push(1)
    yield vault
    log.close()


@pytest.fixture
def other(tmp_path: Path, vault: TestedVault) -> Iterator[sqlite3.Connection]:
    """Another process."""
    assert vault.vault_id
    with closing(sqlite3.connect(tmp_path / "relay.sqlite3", isolation_level=None)) as connection:
        yield connection


def end_after(clock: Clock, pauses: int, other: sqlite3.Connection) -> None:
    """Let the other process end its transaction during this pause."""

    def on_pause() -> None:
        if len(clock.pauses) == pauses:
            other.execute("COMMIT")

    clock.on_pause = on_pause


@pytest.mark.parametrize("begin", ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"])
def test_a_write_waits_for_another_processs_write(
    clock: Clock, vault: TestedVault, other: sqlite3.Connection, begin: str
) -> None:
    other.execute(begin)
    end_after(clock, 7, other)
    assert vault.push(2)[0].seq == 2
    assert len(clock.pauses) == 7


def test_a_read_waits_for_another_processs_commit(clock: Clock, vault: TestedVault, other: sqlite3.Connection) -> None:
    other.execute("BEGIN EXCLUSIVE")
    end_after(clock, 7, other)
    assert seqs_in(vault.page()) == [1]
    assert len(clock.pauses) == 7


def test_a_commit_waits_for_another_processs_read(clock: Clock, vault: TestedVault, other: sqlite3.Connection) -> None:
    other.execute("BEGIN")
    other.execute("SELECT * FROM vaults").fetchall()
    end_after(clock, 7, other)
    assert vault.push(2)[0].seq == 2
    assert len(clock.pauses) == 7


def test_locks_and_commit_share_one_deadline(clock: Clock, vault: TestedVault, other: sqlite3.Connection) -> None:
    """A request waits five seconds for a file, not five for each lock."""
    other.execute("BEGIN IMMEDIATE")

    def reads_for_ever() -> None:
        if other.in_transaction and clock.seconds > TIMEOUT_SECONDS / 2:
            other.execute("COMMIT")
            other.execute("BEGIN")
            other.execute("SELECT * FROM vaults").fetchall()
            clock.on_pause = lambda: None

    clock.on_pause, before = reads_for_ever, clock.seconds
    with pytest.raises(StoreUnavailable, match=r"^locked$"):
        vault.push(2)
    assert TIMEOUT_SECONDS <= clock.seconds - before < TIMEOUT_SECONDS + 1
    other.execute("COMMIT")
    assert seqs_in(vault.page()) == [1]


@pytest.mark.parametrize(("look_seconds", "longest"), [(0.00001, 0.002), (0.004, 0.08), (1.0, 0.2)])
def test_who_looks_slowly_looks_seldom(
    clock: Clock, vault: TestedVault, other: sqlite3.Connection, look_seconds: float, longest: float
) -> None:
    """On a network file system a look is several trips, which hinder the one who commits."""
    clock.look_seconds = 2 * look_seconds
    other.execute("BEGIN EXCLUSIVE")
    end_after(clock, 2, other)
    vault.push(2)
    assert clock.pauses == [pytest.approx(longest)] * 2
