"""A SQLite log in several files: where a vault lies, what keeps the files together, what one means to the others."""

import multiprocessing
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path

import pytest

from relay.adapters.sqlite import ShardedSqliteLog, SqliteLog, open_stores
from relay.adapters.sqlite.database import Database
from relay.adapters.sqlite.layout import shard_of
from relay.ports import Device, Log, Signer, Standing, StoreUnavailable
from tests.contract.log_world import FOUNDER, NOW_MS, TestedVault, key_of, uuid

SHARDS = 4
PROCESSES = 4
VAULTS = {shard_of(uuid(number).encode(), SHARDS): uuid(number) for number in range(1, 30)}
"""A vault for each shard."""


@pytest.fixture
def log(tmp_path: Path) -> Iterator[ShardedSqliteLog]:
    log = ShardedSqliteLog(tmp_path, SHARDS, journal="persist", busy_timeout_seconds=0.05)
    yield log
    log.close()


def file_of(directory: Path, shard: int, shards: int = SHARDS) -> Path:
    return directory / "shards" / f"{shard:02}-of-{shards:02}.sqlite3"


def found_in(log: Log, *shards: int) -> list[TestedVault]:
    """Found a vault in each of these shards."""
    return [TestedVault(log, VAULTS[shard]).found(f"founder of {shard}") for shard in shards]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the whole file, as a process that commits for ever would."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield


def reopened(directory: Path) -> ShardedSqliteLog:
    """The store as another process sees it."""
    return ShardedSqliteLog(directory, SHARDS, journal="persist")


def close(log: Log) -> None:
    assert isinstance(log, SqliteLog | ShardedSqliteLog)
    log.close()


def vault_told(log: Log, vault: TestedVault) -> Callable[[], object]:
    return lambda: log.vault(vault.vault_id, NOW_MS)


# ---------------------------------------------------------------- where a vault lies


def test_a_vault_stays_where_it_is_for_ever() -> None:
    """Another rule, in a later release, would look for vaults where they are not."""
    ids = [uuid(number).encode() for number in range(1, 9)]
    assert [shard_of(vault_id, 16) for vault_id in ids] == [12, 3, 12, 14, 11, 3, 15, 13]
    assert [shard_of(vault_id, 1) for vault_id in ids] == [0] * 8


def test_all_of_a_vault_is_in_one_file(tmp_path: Path, log: ShardedSqliteLog) -> None:
    for vault in found_in(log, *range(SHARDS)):
        vault.push(1, 2)
    log.close()
    for shard, vault_id in VAULTS.items():
        with closing(sqlite3.connect(file_of(tmp_path, shard))) as connection:
            assert connection.execute("SELECT vault_id, head_seq FROM vaults").fetchall() == [(vault_id, 2)]


def test_a_device_is_known_and_seen_by_companions_across_files(log: ShardedSqliteLog) -> None:
    first, second, third = found_in(log, 0, 1, 2)
    for late_ms, vault in enumerate((first, second)):
        vault.join("both", NOW_MS + 10 - late_ms)
    stranger = Signer(key_of("both"), Standing.STRANGER)
    assert log.find_signer("both", third.vault_id) == log.find_signer("both", None) == stranger
    seen = Device("both", key_of("both"), NOW_MS + 9)
    assert log.companion("founder of 0", "both") == log.companion("founder of 1", "both") == seen
    assert log.companion("founder of 2", "both") is None
    second.erase()
    assert log.companion("founder of 0", "both") == Device("both", key_of("both"), NOW_MS + 10)


# ---------------------------------------------------------------- another number of shards


@pytest.mark.parametrize(("made", "asked"), [(1, 4), (4, 1), (4, 16), (16, 4)])
def test_another_number_of_shards_is_refused_and_nothing_is_touched(tmp_path: Path, made: int, asked: int) -> None:
    """Silently begun anew, the store would look as if all vaults were gone."""
    log, _ = open_stores(tmp_path, made, "persist")
    TestedVault(log, uuid(1)).found()
    close(log)
    before = sorted(tmp_path.rglob("*"))
    other, _ = open_stores(tmp_path, asked, "persist")
    for call in (other.ping, lambda: other.find_signer(FOUNDER, uuid(1)), TestedVault(other, uuid(1)).found):
        with pytest.raises(StoreUnavailable) as raised:
            call()
        assert raised.value.reason == f"RELAY_SQLITE_SHARDS is {asked}, the store was made with {made}"
    close(other)
    assert sorted(tmp_path.rglob("*")) == before
    again, _ = open_stores(tmp_path, made, "persist")
    assert again.vault_ids("", 10) == [uuid(1)]
    close(again)


def test_two_stores_in_one_directory_are_refused_by_either_number(tmp_path: Path, log: ShardedSqliteLog) -> None:
    log.ping()
    SqliteLog(tmp_path / "relay.sqlite3").ping()
    for asked in (1, SHARDS):
        with pytest.raises(
            StoreUnavailable, match=f"^RELAY_SQLITE_SHARDS is {asked}, the store was made with 1 and 4$"
        ):
            open_stores(tmp_path, asked, "persist")[0].ping()


# ---------------------------------------------------------------- the files are made together, or not at all


def test_a_shard_that_is_missing_is_told_and_not_made_anew(tmp_path: Path, log: ShardedSqliteLog) -> None:
    """A restore that forgot a file."""
    (vault,) = found_in(log, 2)
    log.close()
    file_of(tmp_path, 2).rename(tmp_path / "forgotten")
    again = reopened(tmp_path)
    for call in (again.ping, vault_told(again, vault), lambda: found_in(again, 3), again.ping):
        with pytest.raises(StoreUnavailable, match=r"^1 of 4 shards missing$"):
            call()
    assert not file_of(tmp_path, 2).exists()
    (tmp_path / "forgotten").rename(file_of(tmp_path, 2))
    assert again.vault_ids("", 10) == [vault.vault_id]
    again.close()


def test_a_shard_that_is_deleted_under_a_running_relay_is_not_made_anew(tmp_path: Path, log: ShardedSqliteLog) -> None:
    (vault,) = found_in(log, 2)
    log.close()
    file_of(tmp_path, 2).unlink()
    with pytest.raises(StoreUnavailable, match=r"^cannot be opened$"):
        vault.push(1)
    assert not file_of(tmp_path, 2).exists()


def test_a_directory_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    """The file system is not mounted: what would be written below its mount point is not the store."""
    directory = tmp_path / "mount" / "relay"
    log, limiter = open_stores(directory, SHARDS, "persist")
    for call in (log.ping, lambda: limiter.forget(0)):
        with pytest.raises(StoreUnavailable, match=r"^data directory missing$"):
            call()
    assert list(tmp_path.iterdir()) == []
    directory.mkdir(parents=True)
    log.ping()
    close(log)


def test_a_store_whose_making_fails_is_not_there_and_is_made_the_next_time(
    tmp_path: Path, log: ShardedSqliteLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = count(1)

    def ping(self: SqliteLog) -> None:
        if next(made) == 3:
            raise StoreUnavailable("disk full")
        self._database.read(lambda _: None)

    monkeypatch.setattr(SqliteLog, "ping", ping)
    with pytest.raises(StoreUnavailable, match=r"^disk full$"):
        log.ping()
    monkeypatch.undo()
    assert list(tmp_path.iterdir()) == []
    log.ping()
    assert len(list((tmp_path / "shards").glob("*.sqlite3"))) == SHARDS


def test_what_killed_makers_left_goes_once_the_store_is_there(tmp_path: Path, log: ShardedSqliteLog) -> None:
    left = tmp_path / "shards.making-left"
    left.mkdir()
    shutil.copy(__file__, left)
    log.ping()
    assert [path.name for path in tmp_path.iterdir()] == ["shards"]


def test_who_comes_too_late_to_make_the_store_uses_that_of_the_first(
    tmp_path: Path, log: ShardedSqliteLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two start at once on a fresh directory: the first is done while the second is still making its files."""
    late, rename = reopened(tmp_path), Path.rename

    def first_comes_first(self: Path, target: Path) -> Path:
        monkeypatch.undo()
        found_in(log, 1)
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", first_comes_first)
    assert late.vault_ids("", 10) == [VAULTS[1]]
    assert [path.name for path in tmp_path.iterdir()] == ["shards"]
    late.close()


def test_processes_that_start_at_once_on_a_fresh_directory_make_one_store(tmp_path: Path) -> None:
    arguments = [(tmp_path, number) for number in range(1, PROCESSES + 1)]
    with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
        pool.starmap(found_one, arguments, chunksize=1)
        pool.close()
        pool.join()
    log = reopened(tmp_path)
    assert log.vault_ids("", 100) == [uuid(number) for number in range(1, PROCESSES + 1)]
    assert [path.name for path in tmp_path.iterdir()] == ["shards"]
    log.close()


def found_one(directory: Path, number: int) -> None:
    log = ShardedSqliteLog(directory, SHARDS, journal="persist")
    TestedVault(log, uuid(number)).found()
    log.close()


# ---------------------------------------------------------------- one shard's trouble, and the others


def test_who_writes_to_one_shard_does_not_wait_for_another(tmp_path: Path, log: ShardedSqliteLog) -> None:
    waits, free = found_in(log, 0, 1)
    with locked(file_of(tmp_path, 0)):
        assert free.push(1)[0].seq == 1
        assert log.find_signer("founder of 1", free.vault_id) == Signer(key_of("founder of 1"), Standing.MEMBER)
        with pytest.raises(StoreUnavailable, match=r"^locked$"):
            waits.push(1)
    assert waits.push(1)[0].seq == 1


def test_a_damaged_shard_stops_its_own_vaults_alone_and_is_told(tmp_path: Path, log: ShardedSqliteLog) -> None:
    hit, whole = found_in(log, 0, 1)
    log.close()
    file_of(tmp_path, 0).write_bytes(b"?" * 8192)
    assert whole.push(1)[0].seq == 1
    for call in (log.ping, vault_told(log, hit), lambda: log.vault_ids("", 10)):
        with pytest.raises(StoreUnavailable, match=r"^damaged$"):
            call()


def test_new_epochs_that_failed_half_way_are_repeated(tmp_path: Path, log: ShardedSqliteLog) -> None:
    vaults, numbers = found_in(log, *range(SHARDS)), count(100)
    with locked(file_of(tmp_path, 2)), pytest.raises(StoreUnavailable, match=r"^locked$"):
        log.renew_epochs(lambda: uuid(next(numbers)))
    first = {vault.info().epoch for vault in vaults}
    assert log.renew_epochs(lambda: uuid(next(numbers))) == SHARDS
    assert len({vault.info().epoch for vault in vaults}) == SHARDS
    assert not first & {vault.info().epoch for vault in vaults}


# ---------------------------------------------------------------- erasing


def test_a_sweep_goes_through_all_shards_in_steps(log: ShardedSqliteLog) -> None:
    for vault in found_in(log, 0, 2, 3):
        vault.push(*range(1, 11))
        vault.erase()
    steps = [log.sweep(6) for _ in range(7)]
    assert steps == [True, True, True, True, True, False, False]


def test_an_erasure_rewrites_no_file_before_the_scheduled_run(
    log: ShardedSqliteLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would let the request wait, and all who write."""
    rewritten: list[Database] = []

    def rewrite(self: Database, _: int) -> bool:
        rewritten.append(self)
        return True

    monkeypatch.setattr(Database, "rewrite", rewrite)
    erased, *_ = found_in(log, 0, 1)
    erased.erase()
    while log.sweep(100):
        pass
    assert rewritten == []
    assert log.sweep(100) is False
    assert len(rewritten) == 1
    assert log.sweep(100) is False
    assert len(rewritten) == 1


def test_an_erased_id_is_spent_for_ever(tmp_path: Path, log: ShardedSqliteLog) -> None:
    (vault,) = found_in(log, 3)
    vault.erase()
    log.close()
    again = reopened(tmp_path)
    assert TestedVault(again, vault.vault_id).pairing_state("anyone").vault == "erased"
    again.close()
