"""One process that works on a sharded SQLite store, for `bench.shards`.

It makes the store's vaults where they are missing, says `up`, waits for a line, works, and prints a report as JSON:
the longest call in seconds, and how many were refused because the store was busy (and then repeated).
"""

import json
import random
import sys
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import cast
from uuid import UUID

from relay.adapters.sqlite import open_stores
from relay.adapters.sqlite.connections import Journal
from relay.ports import AppendPlan, Limiter, Log, LogState, Member, NewRecord, PairingPlan, PairingState, Quota, Receipt
from relay.ports import StoreUnavailable as Busy
from relay_protocol.chain import extend
from relay_protocol.sealed import Sealed

DEVICE = "device"
VAULTS = 64
TEXT_BYTES = 1024
NOW_MS = 1_777_195_800_000
QUOTA = Quota(1_000_000, 60)


def main(folder: str, shards: str, journal: Journal, work: str, times: str, seed: str) -> None:
    """Work so many times."""
    log, limiter = open_stores(Path(folder), int(shards), journal)
    chance = random.Random(int(seed))
    vault_ids = [str(UUID(int=number)) for number in range(VAULTS)]
    for vault_id in vault_ids:
        log.register(vault_id, DEVICE, None, NOW_MS, _found)
        log.find_signer(DEVICE, vault_id)
        limiter.take(vault_id.encode(), QUOTA, 0)
    works = {"push": push, "signer": find_signer, "count": count}
    print("up", flush=True)
    sys.stdin.readline()
    longest_seconds, refused = 0.0, 0
    for _ in range(int(times)):
        vault_id, started = chance.choice(vault_ids), time.perf_counter()
        while not _does(works[work], log, limiter, vault_id):
            refused += 1
        longest_seconds = max(longest_seconds, time.perf_counter() - started)
    print(json.dumps({"longest_seconds": longest_seconds, "refused": refused}), flush=True)
    sys.stdin.readline()


def push(log: Log, _: Limiter, vault_id: str) -> None:
    """Push one changeset."""
    text = random.randbytes(TEXT_BYTES)
    changeset_id, digest = str(UUID(bytes=text[:16])), sha256(text).digest()

    def plan(state: LogState) -> AppendPlan[None]:
        head = extend(state.head, digest)
        receipt = Receipt(changeset_id, digest, head.seq, head.chain, NOW_MS)
        return AppendPlan(None, [NewRecord(receipt, Sealed(text), len(text))])

    log.append(vault_id, DEVICE, [changeset_id], NOW_MS, plan)


def find_signer(log: Log, _: Limiter, vault_id: str) -> None:
    """Look a member up, as each request does."""
    log.find_signer(DEVICE, vault_id)


def count(_: Log, limiter: Limiter, vault_id: str) -> None:
    """Count a request."""
    limiter.take(vault_id.encode(), QUOTA, 0)


def _does(work: Callable[[Log, Limiter, str], None], log: Log, limiter: Limiter, vault_id: str) -> bool:
    try:
        work(log, limiter, vault_id)
    except Busy:
        return False
    return True


def _found(state: PairingState) -> PairingPlan[None]:
    if state.vault == "live":
        return PairingPlan(None)
    return PairingPlan(None, Member(DEVICE, bytes(32), NOW_MS), str(UUID(int=1)))


if __name__ == "__main__":
    folder, shards, journal, *others = sys.argv[1:]
    main(folder, shards, cast("Journal", journal), *others)
