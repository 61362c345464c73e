"""The right to erasure on SQLite: once swept, not a byte of an erased vault is left in any file."""

import random
from hashlib import sha256
from pathlib import Path

import pytest

from relay.adapters.sqlite import SqliteLog
from relay.adapters.sqlite.connections import Journal
from relay.ports import AnnouncePlan
from tests.contract.log_world import NOW_MS, TestedVault, seqs_in, uuid

MARK_BYTES = 12


def marked_text(rng: random.Random, mark: bytes) -> bytes:
    """A text of any size, from less than a page to several, that carries the mark all over."""
    return mark * rng.choice([1, 3, 30, 80, 300, 1000])


def files_holding(directory: Path, mark: bytes) -> list[str]:
    return [path.name for path in directory.iterdir() if mark in path.read_bytes()]


def sweep(log: SqliteLog) -> None:
    while log.sweep(50):
        pass


@pytest.mark.parametrize("journal", ["wal", "delete", "persist"])
def test_nothing_of_an_erased_vault_is_left(tmp_path: Path, journal: Journal) -> None:
    """Vaults grow side by side, so that their rows share pages, move between pages and leave copies behind."""
    rng = random.Random(3)
    log = SqliteLog(tmp_path / "relay.sqlite3", journal=journal)
    vaults = [TestedVault(log, uuid(number)).found(f"founder of {number}" * 3) for number in range(1, 7)]
    marks = [rng.randbytes(MARK_BYTES) for _ in vaults]
    for number in range(300):
        place = rng.randrange(len(vaults))
        vaults[place].push_texts({uuid(1000 + number): marked_text(rng, marks[place])})
    for vault, mark in zip(vaults, marks, strict=True):
        snapshot = vault.snapshot_of(1)
        decided: AnnouncePlan[None] = AnnouncePlan(None, snapshot)
        log.announce(vault.vault_id, mark, 1, NOW_MS, lambda _, plan=decided: plan)  # type: ignore[misc]
        assert files_holding(tmp_path, mark)
    kept = {seq: vaults[1].page().records[seq].chain for seq in range(5)}

    gone, gone_marks = vaults[::2], marks[::2]
    for vault in gone:
        vault.erase()
    sweep(log)

    for vault, mark in zip(gone, gone_marks, strict=True):
        assert files_holding(tmp_path, mark) == []
        assert files_holding(tmp_path, f"founder of {int(vault.vault_id[:8], 16)}".encode()) == []
    assert {seq: vaults[1].page().records[seq].chain for seq in range(5)} == kept
    log.close()
    for mark in gone_marks:
        assert files_holding(tmp_path, mark) == []


@pytest.mark.parametrize("journal", ["wal", "persist"])
def test_nothing_of_a_pruned_text_is_left(tmp_path: Path, journal: Journal) -> None:
    rng = random.Random(5)
    log = SqliteLog(tmp_path / "relay.sqlite3", journal=journal)
    vault, mark = TestedVault(log, uuid(1)).found(), rng.randbytes(MARK_BYTES)
    vault.push_texts({uuid(number): marked_text(rng, mark) for number in range(1, 101)})
    vault.push_texts({uuid(101): b"stays"})
    vault.complete(100)
    while (step := log.prune(vault.vault_id, NOW_MS + 1, 30)) and step.more:
        pass
    assert files_holding(tmp_path, mark) == []
    assert seqs_in(vault.page(100)) == [101]
    log.close()


def test_a_vaults_number_is_not_given_twice(tmp_path: Path) -> None:
    """The sweep finds an erased vault's rows by its number: another vault's must not be among them."""
    log = SqliteLog(tmp_path / "relay.sqlite3")
    TestedVault(log, uuid(1)).found().erase()
    young = TestedVault(log, uuid(2)).found()
    young.push(1, 2, 3)
    sweep(log)
    assert seqs_in(young.page()) == [1, 2, 3]
    log.close()


def test_a_sweep_can_be_interrupted_by_the_end_of_the_process(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path / "relay.sqlite3")
    vault, mark = TestedVault(log, uuid(1)).found(), sha256(b"mark").digest()
    vault.push_texts({uuid(number): mark for number in range(1, 101)})
    vault.erase()
    assert log.sweep(50) is True
    log.close()
    again = SqliteLog(tmp_path / "relay.sqlite3")
    sweep(again)
    assert files_holding(tmp_path, mark) == []
    again.close()
