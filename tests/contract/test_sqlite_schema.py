"""The SQLite stores' files: when they are opened, how they are migrated, and what they refuse."""

import multiprocessing
import sqlite3
from pathlib import Path
from typing import Literal

import pytest

from relay.adapters.sqlite import SqliteLimiter, SqliteLog, schema
from relay.adapters.sqlite.connections import Journal
from relay.ports import Log, StoreUnavailable
from tests.contract.log_world import TestedVault, seqs_in, uuid

PROCESSES = 6
WAL: Journal = "wal"
ROLLBACK_JOURNALS: tuple[Journal, ...] = ("delete", "persist")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "relay.sqlite3"


def schema_of(path: Path) -> list[tuple[str, str]]:
    with sqlite3.connect(path) as connection:
        found = connection.execute("SELECT name, sql FROM sqlite_schema ORDER BY name").fetchall()
    connection.close()
    return found


def test_making_a_store_opens_nothing(path: Path) -> None:
    SqliteLog(path)
    SqliteLimiter(path)
    assert not path.parent.exists()


def test_a_fresh_file_is_migrated_on_the_first_call_also_if_that_only_reads(path: Path) -> None:
    log = SqliteLog(path)
    assert log.vault(uuid(1), 0) is None
    log.close()
    assert {"vaults", "members", "changesets", "snapshots", "erased"} <= {name for name, _ in schema_of(path)}


def test_every_table_is_strict(path: Path) -> None:
    SqliteLog(path).ping()
    SqliteLimiter(path.parent / "limiter.sqlite3").forget(0)
    for file in (path, path.parent / "limiter.sqlite3"):
        for name, sql in schema_of(file):
            if sql and sql.startswith("CREATE TABLE") and not name.startswith("sqlite_"):
                assert "STRICT" in sql


def test_a_file_that_is_up_to_date_stays_as_it_is(path: Path) -> None:
    first = SqliteLog(path)
    TestedVault(first, uuid(1)).found().push(1, 2)
    first.close()
    before = schema_of(path)
    second = SqliteLog(path)
    assert seqs_in(TestedVault(second, uuid(1)).page()) == [1, 2]
    second.close()
    assert schema_of(path) == before


def test_an_older_file_is_migrated_and_keeps_what_it_holds(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = SqliteLog(path)
    TestedVault(log, uuid(1)).found().push(1, 2)
    log.close()
    scripts = [*schema._migrations("log"), "CREATE TABLE young (no INTEGER) STRICT;\nCREATE INDEX i ON young (no);\n"]
    monkeypatch.setattr(schema, "_migrations", lambda _: scripts)
    assert seqs_in(TestedVault(log, uuid(1)).page()) == [1, 2]
    log.close()
    assert {"young", "i"} <= {name for name, _ in schema_of(path)}


def test_a_migration_that_fails_leaves_the_file_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = SqliteLog(path)
    log.ping()
    log.close()
    before = schema_of(path)
    scripts = [*schema._migrations("log"), "CREATE TABLE young (no INTEGER) STRICT;\nNOT SQL;\n"]
    with monkeypatch.context() as patch:
        patch.setattr(schema, "_migrations", lambda _: scripts)
        with pytest.raises(sqlite3.OperationalError):
            log.ping()
    assert schema_of(path) == before
    log.ping()
    log.close()


@pytest.mark.parametrize("store", ["log", "limiter"])
def test_a_file_of_a_newer_relay_is_refused_and_not_touched(path: Path, store: str) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA user_version = 999")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreUnavailable, match=r"^written by a newer relay$"):
        SqliteLog(path).ping() if store == "log" else SqliteLimiter(path).forget(0)
    assert path.read_bytes() == before


def found_one(path: Path, journal: Literal["wal", "delete"], number: int) -> None:
    log: Log = SqliteLog(path, journal=journal)
    TestedVault(log, uuid(number)).found()


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_processes_that_start_at_once_on_a_fresh_file_all_come_up(path: Path, journal: str) -> None:
    context = multiprocessing.get_context("spawn")
    arguments = [(path, journal, number) for number in range(1, PROCESSES + 1)]
    with context.Pool(PROCESSES) as pool:
        pool.starmap(found_one, arguments, chunksize=1)
        pool.close()
        pool.join()
    log = SqliteLog(path, journal="wal" if journal == "wal" else "delete")
    assert log.vault_ids("", 100) == [uuid(number) for number in range(1, PROCESSES + 1)]
    log.close()


def test_a_file_follows_when_its_journal_is_changed(path: Path) -> None:
    """An operator moves the data directory to a network file system, and back."""
    log = SqliteLog(path, journal="wal")
    TestedVault(log, uuid(1)).found().push(1)
    log.close()
    for number, journal in enumerate((*ROLLBACK_JOURNALS, *ROLLBACK_JOURNALS), 2):
        moved = SqliteLog(path, journal=journal)
        TestedVault(moved, uuid(1)).push(number)
        assert not path.with_name("relay.sqlite3-wal").exists()
        assert path.with_name("relay.sqlite3-journal").exists() == (journal == "persist")
        moved.close()
    back = SqliteLog(path, journal="wal")
    assert seqs_in(TestedVault(back, uuid(1)).page()) == [1, 2, 3, 4, 5]
    assert path.with_name("relay.sqlite3-wal").exists()
    back.close()


def test_what_was_acknowledged_waits_for_the_disk_and_what_was_deleted_is_overwritten(path: Path) -> None:
    """No test can cut the power; so this one holds the settings that SQLite promises both for."""
    for journal in (WAL, *ROLLBACK_JOURNALS):
        connection = SqliteLog(path, journal=journal)._database._connections.open()
        settings = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("synchronous", "secure_delete")]
        connection.close()
        assert settings == [2, 1]
