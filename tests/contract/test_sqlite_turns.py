"""With a rollback journal a read cannot run beside a commit: the threads of one process take turns, in order."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from relay.adapters.sqlite.connections import DatabaseFile
from relay.adapters.sqlite.database import Database
from relay.ports import StoreUnavailable
from relay.turns import Turns
from tests.contract.at_once import GUARD_SECONDS, Held, Transaction, wait_for


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(DatabaseFile(tmp_path / "relay.sqlite3", "log", "delete", "OFF", GUARD_SECONDS))
    made.write(lambda _: None)
    yield made
    made.close()


def turns_of(database: Database) -> Turns:
    assert isinstance(database._turns, Turns)
    return database._turns


def test_a_read_comes_between_two_writes(database: Database, pool: ThreadPoolExecutor) -> None:
    """SQLite alone would have it look every 100 ms whether the file is free; under load it never is, then."""
    done: list[str] = []
    held = Held(pool, database.write)
    read = pool.submit(database.read, lambda _: done.append("read"))
    wait_for(turns_of(database), 1)
    write = pool.submit(database.write, lambda _: done.append("write"))
    held.let_go()
    for future in (held.future, read, write):
        future.result(GUARD_SECONDS)
    assert done == ["read", "write"]


def test_a_write_comes_between_two_reads(database: Database, pool: ThreadPoolExecutor) -> None:
    done: list[str] = []
    held = Held(pool, database.read)
    write = pool.submit(database.write, lambda _: done.append("write"))
    wait_for(turns_of(database), 1)
    read = pool.submit(database.read, lambda _: done.append("read"))
    wait_for(turns_of(database), 2)
    held.let_go()
    for future in (held.future, read, write):
        future.result(GUARD_SECONDS)
    assert done == ["write", "read"]


@pytest.mark.parametrize("transaction", ["read", "write"])
def test_who_waits_too_long_is_told_and_the_others_go_on(
    database: Database, pool: ThreadPoolExecutor, transaction: str
) -> None:
    held = Held(pool, database.read)
    turns_of(database)._timeout_seconds = 0.02
    late: Transaction = getattr(database, transaction)
    with pytest.raises(StoreUnavailable, match=r"^locked$"):
        late(lambda _: pytest.fail("it was told that nothing happened"))
    held.let_go()
    held.future.result(GUARD_SECONDS)
    assert database.read(lambda _: "read") == "read"
    assert database.write(lambda _: "written") == "written"


def test_a_transaction_that_fails_ends_its_turn(database: Database) -> None:
    def defect(_: object) -> None:
        raise LookupError

    for transaction in (database.read, database.write):
        with pytest.raises(LookupError):
            transaction(defect)
    assert database.read(lambda _: "read") == "read"


def test_with_a_write_ahead_log_reads_wait_for_nobody(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    database = Database(DatabaseFile(tmp_path / "wal.sqlite3", "log", "wal", "OFF", 0.02))
    held = Held(pool, database.write)
    assert database.read(lambda _: "read") == "read"
    held.let_go()
    held.future.result(GUARD_SECONDS)
    database.close()
