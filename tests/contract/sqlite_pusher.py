"""A process that pushes to a vault in a SQLite file, and tells of each push once it is acknowledged.

`python -m tests.contract.sqlite_pusher FILE JOURNAL NUMBER PUSHES BATCH`: it says `up`, waits for its standard input to
end, then pushes so many batches, and prints `<seq> <number>` for each changeset. Of every third push the answer is
lost: it is sent again, and has to be answered alike.
"""

import sys
from pathlib import Path
from typing import cast

from relay.adapters.sqlite import SqliteLog
from relay.adapters.sqlite.connections import Journal
from relay.ports import AppendPlan, LogState, Receipt
from tests.contract.log_world import FOUNDER, NOW_MS, new_records, uuid

VAULT_ID = uuid(1)
PATIENCE_SECONDS = 60
"""For the file's lock, which many processes wait for."""


def text_of(number: int) -> bytes:
    """A text that fills half a page, so that a push that was torn apart would show."""
    return b"%07d" % number * 300


def push(log: SqliteLog, numbers: list[int]) -> list[Receipt]:
    texts = {uuid(number): text_of(number) for number in numbers}

    def plan(state: LogState) -> AppendPlan[list[Receipt]]:
        if state.known:
            return AppendPlan([state.known[changeset_id] for changeset_id in texts])
        records = new_records(state.head, texts, NOW_MS)
        return AppendPlan([record.receipt for record in records], records)

    receipts = log.append(VAULT_ID, FOUNDER, list(texts), NOW_MS, plan)
    assert receipts is not None
    return receipts


def main(path: str, journal: Journal, number: str, pushes: str, batch: str) -> None:
    log = SqliteLog(Path(path), journal=journal, busy_timeout_seconds=PATIENCE_SECONDS)
    log.ping()
    tell("up")
    sys.stdin.read()
    for index in range(int(pushes)):
        first = 1_000_000 * int(number) + int(batch) * index
        numbers = list(range(first, first + int(batch)))
        receipts = push(log, numbers)
        if index % 3 == 0:
            assert push(log, numbers) == receipts
        tell(*(f"{receipt.seq} {own}" for receipt, own in zip(receipts, numbers, strict=True)))
    log.close()


def tell(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


if __name__ == "__main__":
    path, journal, *numbers = sys.argv[1:]
    main(path, cast("Journal", journal), *numbers)
