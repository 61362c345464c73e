"""The SQLite stores when the disk, the file or a neighbour fails: one short reason, and nothing lost."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest

from relay.adapters.sqlite import SqliteLimiter, SqliteLog
from relay.ports import AppendPlan, LogState, Quota, StoreUnavailable
from tests.contract.failing_disk import file_size_limit
from tests.contract.log_world import FOUNDER, NOW_MS, TestedVault, seqs_in, texts_in, uuid

BIG = b"x" * 1_000_000
WRITES: dict[str, Callable[[TestedVault], object]] = {
    "append": lambda vault: vault.push(9),
    "register": lambda vault: vault.join("ninth"),
    "revoke": lambda vault: vault.log.revoke(vault.vault_id, "second", NOW_MS),
    "announce": lambda vault: vault.log.announce(vault.vault_id, b"", 0, NOW_MS, lambda _: pytest.fail("planned")),
    "complete": lambda vault: vault.log.complete(vault.vault_id, "blob", NOW_MS),
    "drop_snapshots": lambda vault: vault.log.drop_snapshots(vault.vault_id, [], NOW_MS),
    "prune": lambda vault: vault.log.prune(vault.vault_id, NOW_MS, 10),
    "erase": lambda vault: vault.log.erase(vault.vault_id, b"chain"),
    "sweep": lambda vault: vault.log.sweep(10),
    "renew_epochs": lambda vault: vault.log.renew_epochs(lambda: uuid(1)),
}
READS: dict[str, Callable[[TestedVault], object]] = {
    "ping": lambda vault: vault.log.ping(),
    "find_signer": lambda vault: vault.log.find_signer(FOUNDER, vault.vault_id),
    "companion": lambda vault: vault.log.companion(FOUNDER, "second"),
    "roster": lambda vault: vault.log.roster(vault.vault_id),
    "vault": lambda vault: vault.log.vault(vault.vault_id, NOW_MS),
    "page": lambda vault: vault.log.page(vault.vault_id, 0, 10, 1000),
    "snapshot": lambda vault: vault.log.snapshot(vault.vault_id, b"", NOW_MS),
    "vault_ids": lambda vault: vault.log.vault_ids("", 10),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "relay.sqlite3"


@pytest.fixture
def log(path: Path) -> Iterator[SqliteLog]:
    log = SqliteLog(path, busy_timeout_seconds=0.02)
    yield log
    log.close()


@pytest.fixture
def vault(log: SqliteLog) -> TestedVault:
    vault = TestedVault(log, uuid(1)).found()
    vault.join("second")
    vault.push(1, 2, 3)
    return vault


@contextmanager
def lock(path: Path, begin: str = "BEGIN IMMEDIATE") -> Iterator[None]:
    """Hold the file as another process would."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(begin)
    try:
        yield
    finally:
        connection.close()


def connection_of(log: SqliteLog) -> sqlite3.Connection:
    """The one that the next call uses."""
    return log._database._connections._idle[-1]


def is_whole(vault: TestedVault) -> bool:
    """What was acknowledged is there, and the log goes on where it was."""
    return seqs_in(vault.page()) == [1, 2, 3] and vault.push(4)[0].seq == 4 and seqs_in(vault.page(3)) == [4]


@pytest.mark.parametrize("name", WRITES)
def test_a_write_to_a_locked_file_is_refused(path: Path, vault: TestedVault, name: str) -> None:
    with lock(path), pytest.raises(StoreUnavailable, match=r"^locked$"):
        WRITES[name](vault)
    assert is_whole(vault)


@pytest.mark.parametrize("name", READS)
def test_reads_go_on_while_another_process_writes(path: Path, vault: TestedVault, name: str) -> None:
    with lock(path):
        READS[name](vault)


@pytest.mark.parametrize("name", READS)
def test_a_read_of_a_file_that_is_locked_whole_is_refused(path: Path, vault: TestedVault, name: str) -> None:
    assert isinstance(vault.log, SqliteLog)
    vault.log.close()
    vault.log = SqliteLog(path, journal="delete", busy_timeout_seconds=0.02)
    vault.log.ping()
    with lock(path, "BEGIN EXCLUSIVE"), pytest.raises(StoreUnavailable, match=r"^locked$"):
        READS[name](vault)
    assert is_whole(vault)
    vault.log.close()


def test_a_thread_waits_for_another_no_longer_than_for_a_process(log: SqliteLog, vault: TestedVault) -> None:
    planning, finish = Event(), Event()

    def slow_plan(_: LogState) -> AppendPlan[None]:
        planning.set()
        finish.wait()
        return AppendPlan(None)

    thread = Thread(target=log.append, args=(vault.vault_id, FOUNDER, [], NOW_MS, slow_plan))
    thread.start()
    planning.wait()
    with pytest.raises(StoreUnavailable, match=r"^locked$"):
        vault.push(9)
    finish.set()
    thread.join()
    assert is_whole(vault)


def test_a_full_disk_is_told_and_nothing_is_stored(log: SqliteLog, vault: TestedVault) -> None:
    connection_of(log).execute("PRAGMA max_page_count = 1")  # as small as the file is
    before = vault.info()
    connection_of(log).execute("PRAGMA max_page_count = 1")
    with pytest.raises(StoreUnavailable, match=r"^disk full$"):
        vault.push_texts({uuid(4): BIG})
    assert vault.info() == before
    assert is_whole(vault)


def test_a_disk_that_fails_is_told_and_nothing_is_stored(path: Path, vault: TestedVault) -> None:
    before = vault.info()
    limit_bytes = path.with_name("relay.sqlite3-wal").stat().st_size
    with file_size_limit(limit_bytes), pytest.raises(StoreUnavailable, match=r"^I/O error$"):
        vault.push_texts({uuid(4): BIG})
    assert vault.info() == before
    assert is_whole(vault)


def test_a_disk_that_fails_a_rollback_journal_is_told_and_nothing_is_stored(path: Path, vault: TestedVault) -> None:
    assert isinstance(vault.log, SqliteLog)
    vault.log.close()
    vault.log = SqliteLog(path, journal="delete")
    before = vault.info()
    with file_size_limit(path.stat().st_size), pytest.raises(StoreUnavailable, match=r"^I/O error$"):
        vault.push_texts({uuid(4): BIG})
    assert vault.info() == before
    assert is_whole(vault)
    vault.log.close()


def test_a_file_that_may_not_be_written_is_told(log: SqliteLog, vault: TestedVault) -> None:
    connection_of(log).execute("PRAGMA query_only = ON")
    with pytest.raises(StoreUnavailable, match=r"^read-only$"):
        vault.push(9)
    assert is_whole(vault)


@pytest.mark.parametrize("where", ["below a file", "a directory"])
def test_a_file_that_cannot_be_opened_is_told(tmp_path: Path, where: str) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "relay.sqlite3" if where == "below a file" else tmp_path
    with pytest.raises(StoreUnavailable, match=r"^cannot be opened$"):
        SqliteLog(path).ping()


@pytest.mark.parametrize("damage", ["header", "pages", "cut short"])
def test_a_damaged_file_is_told_and_left_for_a_repair(path: Path, vault: TestedVault, damage: str) -> None:
    assert isinstance(vault.log, SqliteLog)
    vault.log.close()
    good = path.with_suffix(".good")
    shutil.copy(path, good)
    data = bytearray(path.read_bytes())
    if damage == "header":
        data[:100] = b"?" * 100
    elif damage == "pages":
        data[4096:] = b"?" * (len(data) - 4096)
    else:
        del data[8192:]
    path.write_bytes(data)
    for name, call in (WRITES | READS).items():
        if (
            name not in {"ping", "sweep", "renew_epochs", "vault_ids", "companion", "find_signer"}
            or damage != "cut short"
        ):
            with pytest.raises(StoreUnavailable, match=r"^damaged$"):
                call(vault)
    assert path.read_bytes() == data
    shutil.copy(good, path)
    assert is_whole(vault)


def test_a_text_that_is_damaged_is_not_cited(path: Path, vault: TestedVault) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE vaults SET epoch = CAST(x'736563726574ff' AS TEXT)")
    connection.close()
    with pytest.raises(StoreUnavailable) as raised:
        vault.page()
    assert (raised.value.reason, raised.value.__cause__, raised.value.__suppress_context__) == ("damaged", None, True)


def test_a_lost_answer_at_the_commit_can_be_repeated(path: Path, log: SqliteLog, vault: TestedVault) -> None:
    """A reader holds a rollback journal's commit up: the write did not happen, and it can be sent again."""
    log.close()
    vault.log = SqliteLog(path, journal="delete", busy_timeout_seconds=0.02)
    vault.log.ping()
    with lock(path, "BEGIN"):
        pass
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM vaults").fetchall()
    with pytest.raises(StoreUnavailable, match=r"^locked$"):
        vault.push(4)
    reader.close()
    assert texts_in(vault.page(3)) == []
    assert is_whole(vault)
    vault.log.close()


def test_the_limiter_tells_the_same_reasons(tmp_path: Path) -> None:
    path = tmp_path / "limiter.sqlite3"
    limiter = SqliteLimiter(path, busy_timeout_seconds=0.02)
    limiter.take(b"key", Quota(1, 1), 0)
    with lock(path), pytest.raises(StoreUnavailable, match=r"^locked$"):
        limiter.take(b"key", Quota(1, 1), 0)
    limiter.close()
    path.write_bytes(b"?" * 4096)
    with pytest.raises(StoreUnavailable, match=r"^damaged$"):
        limiter.forget(0)
