"""Processes that die in the middle of a push, at each of its steps.

`python -m tests.contract.sqlite_suicide DIRECTORY JOURNAL`: a child pushes three changesets and kills itself at its
first system call that changes a file, another at its second, and so on, until one lives to the end. After each it
prints `<died or lived> <seqs stored since>`, as another process finds the store. (Forks: a start takes a second.)
"""

import os
import signal
import sys
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import cast

from relay.adapters.sqlite import ShardedSqliteLog
from relay.adapters.sqlite.connections import Journal
from tests.contract.log_world import TestedVault, seqs_in, uuid
from tests.contract.sqlite_system_calls import WRITES, system_calls

VAULT_ID = uuid(1)
SHARDS = 2
MOST_CALLS = 100


def main(directory: Path, journal: Journal) -> None:
    stored = 0
    for calls in range(1, MOST_CALLS):
        child = os.fork()
        if child == 0:
            push(directory, journal, calls)
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert status in {0, -signal.SIGKILL}
        seqs = seqs_stored(directory, journal)
        sys.stdout.write(f"{'died' if status else 'lived'} {len(seqs) - stored}\n")
        assert seqs == list(range(1, len(seqs) + 1))
        stored = len(seqs)
        if status == 0:
            return


def push(directory: Path, journal: Journal, calls: int) -> None:
    """Push, and die at this call that changes a file."""
    vault, made = TestedVault(ShardedSqliteLog(directory, SHARDS, journal=journal), VAULT_ID), count(1)

    def hook(name: str) -> None:
        if name in WRITES and next(made) == calls:
            os.kill(os.getpid(), signal.SIGKILL)

    with system_calls(hook):
        vault.push_texts({uuid(number): b"%d" % number * 3000 for number in range(10 * calls, 10 * calls + 3)})


def seqs_stored(directory: Path, journal: Journal) -> list[int]:
    """Read all of the vault, as a process that comes after."""
    with closing(ShardedSqliteLog(directory, SHARDS, journal=journal)) as log:
        return seqs_in(TestedVault(log, VAULT_ID).page(limit=10_000, max_bytes=10**9))


if __name__ == "__main__":
    main(Path(sys.argv[1]), cast("Journal", sys.argv[2]))
