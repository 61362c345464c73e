"""Fills a vault by the store's own append: the rows that pushes would leave, without what a request costs."""

import json
import os
import time
from hashlib import sha256
from uuid import UUID

from bench.changesets import changeset
from bench.household import Household
from relay.ports import AppendPlan, Log, LogState, NewRecord, Receipt
from relay_protocol.chain import extend
from relay_protocol.sealed import Sealed

AT_ONCE = 2_000


def fill(log: Log, household: Household, changesets: int, size_bytes: int) -> None:
    """Append so many, each of about this many bytes of JSON, with random ids. All have one ciphertext."""
    template = json.dumps(changeset(household.device_id, size_bytes), separators=(",", ":")).encode()
    before, after = template.split(json.loads(template)["id"].encode())
    for start in range(0, changesets, AT_ONCE):
        ids = [str(UUID(bytes=os.urandom(16), version=4)) for _ in range(min(AT_ONCE, changesets - start))]
        _append(log, household, {one: b"%b%b%b" % (before, one.encode(), after) for one in ids})


def _append(log: Log, household: Household, texts: dict[str, bytes]) -> None:
    now_ms = time.time_ns() // 1_000_000

    def plan(state: LogState) -> AppendPlan[bool]:
        head, records = state.head, []
        for changeset_id, text in texts.items():
            digest = sha256(text).digest()
            head = extend(head, digest)
            receipt = Receipt(changeset_id, digest, head.seq, head.chain, now_ms)
            records.append(NewRecord(receipt, Sealed(text), len(text)))
        return AppendPlan(True, records)  # noqa: FBT003 -- what the append returns

    assert log.append(household.vault_id, household.device_id, list(texts), now_ms, plan)
