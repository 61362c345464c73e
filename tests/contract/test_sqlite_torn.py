"""The end of the write-ahead log torn by a loss of power, in each way: nothing acknowledged is lost, and it opens."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from relay.adapters.sqlite import SqliteLog
from tests.contract.log_world import TestedVault, seqs_in, uuid
from tests.figures import Report

VAULT_ID = uuid(1)
FILE = "relay.sqlite3"
WAL = "relay.sqlite3-wal"
SECTOR_BYTES = 512

Tear = Callable[[bytes, int, int], bytes]
"""Makes of a log what is left of it: given how much was acknowledged, and the place of a sector after that."""


def cut(log: bytes, _: int, place: int) -> bytes:
    return log[:place]


def zeros(log: bytes, _: int, place: int) -> bytes:
    """A sector that never came to the disk, though later ones did."""
    return log[:place] + bytes(len(log[place : place + SECTOR_BYTES])) + log[place + SECTOR_BYTES :]


def rubbish(log: bytes, _: int, place: int) -> bytes:
    size = len(log[place : place + SECTOR_BYTES])
    return log[:place] + bytes((place + at * 7) % 251 for at in range(size)) + log[place + SECTOR_BYTES :]


def the_last_alone(log: bytes, acknowledged: int, place: int) -> bytes:
    """Sectors come in any order: the last ones are there, those before are not."""
    return log[:acknowledged] + bytes(place - acknowledged) + log[place:]


TEARS: tuple[Tear, ...] = (cut, zeros, rubbish, the_last_alone)


@pytest.fixture
def folder(home: Path) -> Iterator[Path]:
    """The files as a loss of power leaves them: three pushes are acknowledged, and a fourth is not."""
    with closing(SqliteLog(home / FILE)) as log:
        vault = TestedVault(log, VAULT_ID).found()
        for number in (1, 2, 3):
            vault.push_texts({uuid(number): b"%d" % number * 3000})
        (home / "acknowledged").write_text(str((home / WAL).stat().st_size))
        vault.push_texts({uuid(4): b"4" * 3000, uuid(5): b"5" * 3000})
        left = home.with_name("left")
        left.mkdir()
        for name in (FILE, WAL, "acknowledged"):
            shutil.copy(home / name, left / name)
    yield left
    shutil.rmtree(left)


@pytest.mark.parametrize("tear", TEARS, ids=[tear.__name__ for tear in TEARS])
def test_what_was_acknowledged_is_there_however_the_rest_is_torn(folder: Path, tear: Tear, report: Report) -> None:
    acknowledged, whole = int((folder / "acknowledged").read_text()), (folder / WAL).read_bytes()
    pristine = (folder / FILE).read_bytes()
    assert len(whole) > acknowledged + 2 * SECTOR_BYTES
    outcomes = set()
    places = range(acknowledged, len(whole), SECTOR_BYTES)
    for place in places:
        (folder / FILE).write_bytes(pristine)
        (folder / WAL).write_bytes(tear(whole, acknowledged, place))
        with closing(SqliteLog(folder / FILE)) as log:
            vault = TestedVault(log, VAULT_ID)
            seqs = seqs_in(vault.page())
            outcomes.add(len(seqs))
            assert seqs in ([1, 2, 3], [1, 2, 3, 4, 5]), "part of a push, or less than was acknowledged"
            vault.push(9)
            assert seqs_in(vault.page(len(seqs))) == [len(seqs) + 1]
        with closing(sqlite3.connect(folder / FILE)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        (folder / f"{FILE}-shm").unlink(missing_ok=True)
    report("tears", len(places))
    assert 3 in outcomes
