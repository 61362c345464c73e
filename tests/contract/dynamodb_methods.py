"""The methods of a log behind wires to DynamoDB and S3 that fail, and vaults that hold what they need."""

import ast
import time
from itertools import count
from typing import Any

from relay.adapters.dynamodb import DynamoLog
from relay.adapters.dynamodb.sweeping import SETTLED_MS
from relay.adapters.s3 import Bucket, S3Texts
from relay.ports import AppendPlan, LogState
from relay_protocol.sealed import Sealed
from tests.contract import log_methods
from tests.contract.faulty_wire import FaultyWire, HastyTime
from tests.contract.log_methods import Case, prepare
from tests.contract.log_world import FOUNDER, NOW_MS, TestedVault, new_records, texts_in, uuid
from tests.contract.opened_stores import LARGE

_vaults = count(0xF0001)
_of_the_first: list[tuple[str, str]] = []
"""The id of the first vault, and the text of its items."""
PUT_AT_A_TIME = 25
"""What one BatchWriteItem takes."""


def _later_ms() -> int:
    """The time at which what was put into the bucket just now is old enough to be judged."""
    return time.time_ns() // 1_000_000 + SETTLED_MS + 60_000


class FaultyLog:
    """A log behind faulty wires, to DynamoDB and to the texts in S3, and vaults that hold what every method needs."""

    def __init__(self, client: Any, table: str, bucket: Bucket) -> None:
        self.wire, self.texts_wire = FaultyWire(client), FaultyWire(bucket.client)
        self.table = table
        texts = S3Texts(Bucket(bucket.client, bucket.name, HastyTime().patience))
        self.log = DynamoLog(client, self.table, texts, now_ms=_later_ms, patience=HastyTime().patience)
        self.client = client

    def vault(self) -> TestedVault:
        """A vault of its own: two members, three changesets, a snapshot of two, and one announced.

        All are the first one under another id, put as it lies in the table: there are hundreds.
        """
        vault_id = uuid(next(_vaults))
        if not _of_the_first:
            prepare(self.log, vault_id)
            items = self.client.scan(TableName=self.table)["Items"]
            _of_the_first.append((vault_id, repr([item for item in items if vault_id in str(item)])))
        else:
            first_id, items_text = _of_the_first[0]
            items = ast.literal_eval(items_text.replace(first_id, vault_id))
            for start in range(0, len(items), PUT_AT_A_TIME):
                puts = [{"PutRequest": {"Item": item}} for item in items[start : start + PUT_AT_A_TIME]]
                self.client.batch_write_item(RequestItems={self.table: puts})
        return TestedVault(self.log, vault_id)

    def prepared(self, case: "Case") -> TestedVault:
        """A vault in which a method does what it is tested for."""
        vault = self.vault()
        case.prepare(vault)
        return vault


def pushed_large(vault: TestedVault) -> list[int]:
    """Push texts that do not fit into an entry: they go to S3, and so do those that are read again."""

    def plan(state: LogState) -> AppendPlan[list[int]]:
        fresh = {uuid(number): LARGE for number in (8, 9) if uuid(number) not in state.known}
        records = new_records(state.head, fresh, NOW_MS)
        return AppendPlan(
            sorted([one.seq for one in state.known.values()] + [one.receipt.seq for one in records]), records
        )

    seqs = vault.log.append(vault.vault_id, FOUNDER, [uuid(8), uuid(9)], NOW_MS, plan)
    assert seqs is not None
    return seqs


def vault_texts(vault: TestedVault) -> list[bytes]:
    return texts_in(vault.page(3))


def orphaned(vault: TestedVault) -> str:
    """Put a text aside whose append never ended; return its key."""
    assert isinstance(vault.log, DynamoLog)
    key = f"{vault.vault_id}/00000001-{'ab' * 8}-0"
    vault.log._store.texts.put_text(key, Sealed(b"aside"))
    return key


def is_reaped(vault: TestedVault) -> bool:
    assert isinstance(vault.log, DynamoLog)
    return not list(vault.log._store.texts.text_keys(f"{vault.vault_id}/"))


def covered_large(vault: TestedVault) -> None:
    """Let a snapshot cover texts that lie in S3, so that they may be pruned."""
    pushed_large(vault)
    vault.complete(5, b"covers all")


def erased_large(vault: TestedVault) -> None:
    """Erase a vault whose texts lie in S3, so that they are to be swept."""
    pushed_large(vault)
    log_methods.erased(vault)


def reaped(vault: TestedVault) -> None:
    place: str | None = ""
    while place is not None:
        place = vault.log.reap(place, 100)


METHODS: dict[str, Case] = log_methods.METHODS | {
    "push large": Case(pushed_large, lambda vault: [len(text) for text in vault_texts(vault)] == [len(LARGE)] * 2),
    "page large": Case(vault_texts, prepare=pushed_large, is_read=True),
    "prune large": Case(
        lambda vault: vault.log.prune(vault.vault_id, NOW_MS + 1, 10),
        lambda vault: is_reaped(vault) and vault.info().floor.seq == 5,
        prepare=covered_large,
    ),
    "sweep large": Case(log_methods.swept, is_reaped, prepare=erased_large),
    "reap": Case(reaped, is_reaped, prepare=orphaned),
}
