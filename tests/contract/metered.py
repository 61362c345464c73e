"""A vault in DynamoDB whose requests are metered: what the store says they consumed, and how often they had to wait."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any

from relay.adapters.dynamodb import DynamoLimiter, DynamoLog
from relay.adapters.s3 import S3Texts
from relay.ports import AnnouncePlan, AppendPlan, LogState, Quota
from tests.contract.aws_world import dynamodb, new_bucket, new_limiter_table, new_log_table
from tests.contract.log_world import FOUNDER, NOW_MS, TestedVault, new_records, uuid

KIB = 1024
NOW_US = NOW_MS * 1000
QUOTA = Quota(requests=600, window_seconds=60)
WRITES = frozenset({"put_item", "update_item", "delete_item", "transact_write_items"})
FILLED_AT_ONCE = 100
FILL_BYTES = 200


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one request: write and read units, and the trips that had to wait for each other, the limiter's included."""

    writes: float
    reads: float
    trips: int


class UnitMeter:
    """Adds up what the calls consumed. A refused write is billed, too, and told by no answer: as one unit here."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.writes = self.reads = 0.0
        self.trips = 0

    def trip(self) -> None:
        self.trips += 1

    def consumed(self, operation: str, answer: dict[str, Any]) -> None:
        told = answer["ConsumedCapacity"]
        units = sum(one["CapacityUnits"] for one in (told if isinstance(told, list) else [told]))
        if operation in WRITES:
            self.writes += units
        else:
            self.reads += units

    def refused(self) -> None:
        self.writes += 1


class MeteredVault:
    """One vault, its log and its limiter."""

    def __init__(self, client: Any, texts: S3Texts) -> None:
        self._meter = UnitMeter()
        self._limiter = DynamoLimiter(client, new_limiter_table(client), meter=self._meter)
        self._numbers, self._seconds = count(1), count(1)
        self.log = DynamoLog(client, new_log_table(client), texts, meter=self._meter)
        self.vault = TestedVault(self.log, uuid(1)).found()

    def fill(self, size: int) -> None:
        """Push small changesets until the vault holds so many."""
        for start in range(self.vault.info().head.seq, size, FILLED_AT_ONCE):
            self._push(min(FILLED_AT_ONCE, size - start), FILL_BYTES)

    def cost(self, request: Callable[[], object]) -> Cost:
        """Make a request as the door does: it is counted, its signer looked up, then answered."""
        self._meter.reset()
        now_us = NOW_US + next(self._seconds) * 1_000_000
        self._limiter.take(b"vault and address", QUOTA, now_us)
        self.log.find_signer(FOUNDER, self.vault.vault_id)
        request()
        return Cost(self._meter.writes, self._meter.reads, self._meter.trips)

    def requests(self) -> dict[str, Callable[[], object]]:
        """Return each kind of request by name, to be made in this order."""
        vault, log, vault_id = self.vault, self.log, self.vault.vault_id
        head = vault.info().head.seq
        self._announced = vault.snapshot_of(0, b"%d" % next(self._numbers))
        return {
            "push, 1 KB": partial(self._push, 1, KIB),
            "push, 1 KB, sent again": self._push_again,
            "push, 300 B": partial(self._push, 1, 300),
            "push, 100 of 1 KB": partial(self._push, 100, KIB),
            "push, 1 KB, after that": partial(self._push, 1, KIB),
            "push, one of 1 MB": partial(self._push, 1, KIB * KIB),
            "pull, nothing new": lambda: log.page(vault_id, head + 105, 100, 4 * KIB * KIB),
            "pull, one new": lambda: log.page(vault_id, head, 1, 4 * KIB * KIB),
            "pull, a page of 100 of 1 KB": lambda: log.page(vault_id, head + 2, 100, 4 * KIB * KIB),
            "pull, the first page": lambda: log.page(vault_id, 0, 100, 4 * KIB * KIB),
            "vault": vault.info,
            "devices": lambda: log.roster(vault_id),
            "snapshot, announced": self._announce,
            "snapshot, completed": lambda: log.complete(vault_id, self._announced.blob_key, NOW_MS),
            "snapshot, looked up": lambda: log.snapshot(vault_id, self._announced.sha256, NOW_MS),
        }

    def _announce(self) -> None:
        record = self._announced
        self.log.announce(self.vault.vault_id, record.sha256, 0, NOW_MS, lambda _: AnnouncePlan(None, record))

    def _push(self, records: int, size_bytes: int) -> None:
        self._last = [uuid(0x10000 + next(self._numbers)) for _ in range(records)]
        self.vault.push_texts(dict.fromkeys(self._last, b"x" * size_bytes))

    def _push_again(self) -> None:
        def plan(state: LogState) -> AppendPlan[set[str]]:
            texts = dict.fromkeys(self._last, b"as the core plans what it takes for new")
            return AppendPlan(set(state.known), [] if state.known else new_records(state.head, texts, NOW_MS))

        assert self.log.append(self.vault.vault_id, FOUNDER, self._last, NOW_MS, plan) == set(self._last)


@contextmanager
def metered(dynamodb_url: str, s3_url: str) -> Iterator[MeteredVault]:
    """Open an empty vault."""
    client = dynamodb(dynamodb_url)
    metered_vault = MeteredVault(client, S3Texts(new_bucket(s3_url)))
    yield metered_vault
    metered_vault.log.close()
    client.close()
