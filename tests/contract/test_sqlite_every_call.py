"""SQLite's system calls failing, each in turn, for every method: it is told in one way, and nothing is half done."""

import errno
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from relay.adapters.sqlite import SqliteLimiter, SqliteLog
from relay.adapters.sqlite.connections import Journal
from relay.ports import Limiter, Log, Quota, StoreUnavailable
from tests.contract.log_methods import METHODS, Case, prepare, pushed
from tests.contract.log_world import NOW_MS, TestedVault, uuid
from tests.contract.sqlite_system_calls import WRITES, system_calls
from tests.figures import Report
from tests.http.faults import Recorder

VAULT_ID = uuid(1)
FILE = "relay.sqlite3"
BUSY_SECONDS = 0.02
ERRORS_OF_WRITES = (errno.ENOSPC, errno.EIO)
JOURNALS: tuple[Journal, ...] = ("wal", "delete")


class Calls:
    """Counts system calls, and lets the one at a place fail: a write for want of room or by EIO, any other by EIO."""

    def __init__(self, place: int) -> None:
        self.made = 0
        self._place = place

    def __call__(self, name: str) -> int | None:
        place, self.made = self.made, self.made + 1
        if place != self._place:
            return None
        return ERRORS_OF_WRITES[place % 2] if name in WRITES else errno.EIO


@contextmanager
def opened(folder: Path, journal: Journal) -> Iterator[TestedVault]:
    with closing(SqliteLog(folder / FILE, journal=journal, busy_timeout_seconds=BUSY_SECONDS)) as log:
        yield TestedVault(log, VAULT_ID)


@pytest.fixture
def template(home: Path) -> Path:
    return home / "template"


def make(template: Path, journal: Journal, case: Case) -> None:
    template.mkdir()
    with opened(template, journal) as vault:
        prepare(vault.log, VAULT_ID)
        case.prepare(vault)


def test_every_method_is_enumerated(template: Path) -> None:
    called: set[str] = set()
    for name, case in METHODS.items():
        make(folder := template.with_name(name), "wal", case)
        with opened(folder, "wal") as vault:
            recorded: Any = Recorder("log", vault.log, called)
            case.method(TestedVault(recorded, VAULT_ID))
    puts_nothing_aside = {"log.reap"}
    assert called | puts_nothing_aside == {f"log.{name}" for name in vars(Log) if not name.startswith("_")}


@pytest.mark.parametrize("journal", JOURNALS)
@pytest.mark.parametrize("name", METHODS)
def test_one_call_that_fails_anywhere_is_told_or_not_noticed(
    template: Path, name: str, journal: Journal, report: Report
) -> None:
    """Each place on the files as they were, opened anew: so opening is among the places."""
    case, folder = METHODS[name], template.with_name("files")
    make(template, journal, case)
    place, made, told = 0, 1, 0
    while place < made:
        shutil.copytree(template, folder)
        with opened(folder, journal) as vault:
            with system_calls(calls := Calls(place)):
                try:
                    case.method(vault)
                except StoreUnavailable:
                    told += 1
            made = max(made, calls.made) if calls.made > place else place
            again(case, vault)
            assert case.holds(vault)
        with closing(sqlite3.connect(folder / FILE)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        with opened(folder, journal) as vault:
            assert case.holds(vault), "another process finds it otherwise"
        shutil.rmtree(folder)
        place += 1
    report("places", place)
    report("told", told)
    assert told > 0


def again(case: Case, vault: TestedVault) -> None:
    """Do it again, as clients do. Where a lock could not be given back, it is gone only with its connection."""
    with suppress(StoreUnavailable):
        case.method(vault)
        return
    case.method(vault)


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EROFS], ids=["full", "read-only"])
@pytest.mark.parametrize("journal", JOURNALS)
@pytest.mark.parametrize("name", METHODS)
def test_a_disk_that_takes_nothing_for_a_while(template: Path, name: str, journal: Journal, error: int) -> None:
    """What only reads goes on, and what writes is told so; once the disk takes something again, all is as it was."""
    case = METHODS[name]
    make(template, journal, case)
    with opened(template, journal) as vault:
        before = (vault.log.roster(VAULT_ID), vault.log.vault(VAULT_ID, NOW_MS), vault.log.vault_ids("", 9))
        with system_calls(lambda call: error if call in WRITES else None):
            if case.is_read and name != "renew_epochs":
                case.method(vault)
            else:
                with pytest.raises(StoreUnavailable):
                    case.method(vault)
        assert (vault.log.roster(VAULT_ID), vault.log.vault(VAULT_ID, NOW_MS), vault.log.vault_ids("", 9)) == before
        case.method(vault)
        assert case.holds(vault)


LIMITER_METHODS = {
    "take": lambda limiter: limiter.take(b"key", Quota(2, 60), 1_000_000),
    "forget": lambda limiter: limiter.forget(10**15),
}


@pytest.mark.parametrize("name", LIMITER_METHODS)
def test_a_limiter_whose_calls_fail_tells_it_and_goes_on(template: Path, name: str, report: Report) -> None:
    assert set(LIMITER_METHODS) == {name for name in vars(Limiter) if not name.startswith("_")}
    template.mkdir()
    with closing(SqliteLimiter(template / FILE)) as limiter:
        limiter.take(b"another", Quota(1, 1), 0)
    place, made, folder = 0, 1, template.with_name("files")
    while place < made:
        shutil.copytree(template, folder)
        with closing(SqliteLimiter(folder / FILE, busy_timeout_seconds=BUSY_SECONDS)) as limiter:
            with system_calls(calls := Calls(place)), suppress(StoreUnavailable):
                LIMITER_METHODS[name](limiter)
            made = max(made, calls.made) if calls.made > place else place
            assert limiter.take(b"a third", Quota(1, 60), 0).allowed
            assert not limiter.take(b"a third", Quota(1, 60), 0).allowed
        shutil.rmtree(folder)
        place += 1
    report("places", place)


@pytest.mark.parametrize("journal", JOURNALS)
def test_pushes_that_share_a_commit_are_each_stored_or_told_whichever_call_fails(
    template: Path, journal: Journal, report: Report
) -> None:
    """What was acknowledged is there for another process; what was not can be sent again, and is stored once."""
    folder = template.with_name("files")
    template.mkdir()
    with opened(template, journal) as vault:
        prepare(vault.log, VAULT_ID)
    place, made, told = 0, 1, 0
    while place < made:
        shutil.copytree(template, folder)
        with opened(folder, journal) as vault, system_calls(calls := Calls(place)):
            acknowledged = _pushed_together(vault)
        made = max(made, calls.made) if calls.made > place else place
        told += 2 - len(acknowledged)
        with opened(folder, journal) as vault:
            assert acknowledged <= seqs_of(vault).keys()
            assert _pushed_together(vault) == {uuid(4), uuid(5)}
            assert sorted(seqs_of(vault).values()) == [1, 2, 3, 4, 5]
        shutil.rmtree(folder)
        place += 1
    report("places", place)
    report("told", told)
    assert place > 10  # else the enumeration has met nothing


def _pushed_together(vault: TestedVault) -> set[str]:
    """Push two at once; return the ids of what was acknowledged."""

    def push(number: int) -> set[str]:
        with suppress(StoreUnavailable):
            return {receipt.id for receipt in pushed(vault, number)}
        return set()

    assert isinstance(vault.log, SqliteLog)
    return set().union(*vault.log.together([partial(push, 4), partial(push, 5)]))


def seqs_of(vault: TestedVault) -> dict[str, int]:
    """The log as a reader finds it."""
    state = vault.state(*range(1, 6))
    return {changeset_id: receipt.seq for changeset_id, receipt in state.known.items()}
