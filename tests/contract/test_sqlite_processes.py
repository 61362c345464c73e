"""Several processes on one SQLite file: each push is there once, in one chain, and outlives its process."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import IO

import pytest

from relay.adapters.sqlite import SqliteLog
from relay.adapters.sqlite.connections import Journal
from relay_protocol.chain import genesis
from tests.contract.log_append_races import read_on
from tests.contract.log_world import TestedVault, texts_in
from tests.contract.sqlite_pusher import VAULT_ID, text_of

ROOT = Path(__file__).parents[2]
PROCESSES = 8
PUSHES_EACH = 25
BATCH = 5
KILLED_AFTER_PUSHES = [1, 4, 12]
ENDLESS = 1_000_000

Pusher = subprocess.Popen[str]
Start = Callable[[int, int], list[Pusher]]


@pytest.fixture(params=["wal", "delete", "persist"])
def journal(request: pytest.FixtureRequest) -> Journal:
    journal: Journal = request.param
    return journal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "relay.sqlite3"


@pytest.fixture
def vault(path: Path, journal: Journal) -> Iterator[TestedVault]:
    log = SqliteLog(path, journal=journal)
    yield TestedVault(log, VAULT_ID).found()
    log.close()


@pytest.fixture
def start(path: Path, journal: Journal, vault: TestedVault) -> Iterator[Start]:
    """Start so many processes that push so many batches each, all from the same moment on."""
    assert isinstance(vault.log, SqliteLog)
    vault.log.close()
    with ExitStack() as stack:

        def start(count: int, pushes: int) -> list[Pusher]:
            pushers = []
            for number in range(1, count + 1):
                arguments = [str(path), journal, str(number), str(pushes), str(BATCH)]
                command = [sys.executable, "-m", "tests.contract.sqlite_pusher", *arguments]
                pusher = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
                pushers.append(stack.enter_context(pusher))
                stack.callback(pusher.kill)
            for pusher in pushers:
                assert output_of(pusher).readline() == "up\n"
            for pusher in pushers:
                assert pusher.stdin is not None
                pusher.stdin.close()
            return pushers

        yield start


def output_of(pusher: Pusher) -> IO[str]:
    assert pusher.stdout is not None
    return pusher.stdout


def told_by(lines: list[str]) -> dict[int, int]:
    """Which number is at which seq, by what a process told; it may have died in the middle of a line."""
    return {int(seq): int(number) for seq, number in (line.split() for line in lines if line.endswith("\n"))}


def check(path: Path, vault: TestedVault, told: dict[int, int]) -> int:
    """Check the file, the chain, and that all is there that a process told of; return the head's seq."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    head, texts = genesis(VAULT_ID), []
    while head != vault.info().head:
        texts += texts_in(vault.page(head.seq, 30))
        head = read_on(vault, head)
    assert len(texts) == len(set(texts)) == head.seq
    assert {seq: texts[seq - 1] for seq in told} == {seq: text_of(number) for seq, number in told.items()}
    return head.seq


def test_processes_that_lose_answers_write_each_changeset_once(path: Path, vault: TestedVault, start: Start) -> None:
    told: dict[int, int] = {}
    for pusher in start(PROCESSES, PUSHES_EACH):
        lines = output_of(pusher).readlines()
        assert pusher.wait() == 0
        seqs = told_by(lines)
        assert len(seqs) == PUSHES_EACH * BATCH
        assert list(seqs) == sorted(seqs)
        told |= seqs
    assert sorted(told) == list(range(1, PROCESSES * PUSHES_EACH * BATCH + 1))
    assert check(path, vault, told) == len(told)


def test_what_was_acknowledged_outlives_the_process_that_is_killed(
    path: Path, vault: TestedVault, start: Start
) -> None:
    """They are killed in the middle of pushing, one after the other, while the others go on."""
    pushers = start(len(KILLED_AFTER_PUSHES), ENDLESS)
    told: dict[int, int] = {}
    for pusher, pushes in zip(pushers, KILLED_AFTER_PUSHES, strict=True):
        lines = [output_of(pusher).readline() for _ in range(BATCH * pushes)]
        pusher.kill()
        told |= told_by(lines + output_of(pusher).readlines())
        pusher.wait()
    head_seq = check(path, vault, told)
    assert head_seq >= max(told)
    assert head_seq % BATCH == 0, "no push is there in part"
    vault.push(1)
    assert vault.info().head.seq == head_seq + 1
