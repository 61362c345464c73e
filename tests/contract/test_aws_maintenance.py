"""Retention on DynamoDB and S3: how much a step sends, and what is left in the table and the bucket after many runs."""

import random
from collections.abc import Callable, Iterator
from functools import partial
from hashlib import sha256
from typing import Any

import httpx
import pytest

from relay.adapters.memory import MemoryLimiter
from relay.adapters.s3 import S3Blobs, S3Texts
from relay.core import retention
from relay.core.retention import Tally
from relay_protocol.limits import Retention
from relay_protocol.sealed import Sealed
from tests.contract.blob_worlds import HttpBlobWorld
from tests.contract.faulty_wire import FaultyWire
from tests.contract.log_world import HOUR_MS, NOW_MS, TestedVault, seqs_in, texts_in, uuid
from tests.contract.opened_stores import LARGE, OpenLog

RETENTION = Retention(changeset_days=0, snapshots=1)
AT_A_TIME = 10
"""What the steps of these tests are cut to, so that little is much."""
GONE, STAYS = uuid(0xA1), uuid(0xA2)
PENDING_EACH = 5
MOST_RUNS = 60
MOST_SENT = 100
"""In a round: 16 lists of erased vaults, a vault kept, 10 blobs listed and deleted, and the records of their vaults."""


class Maintained:
    """The stores under retention, and what each round of a run sent."""

    def __init__(self, opened: OpenLog, client: httpx.Client) -> None:
        self.opened = opened
        self.blobs = S3Blobs(opened.bucket, now_ms=lambda: NOW_MS)
        self._uploads = HttpBlobWorld(self.blobs, "", NOW_MS, client)
        self._wires = [FaultyWire(opened.client), FaultyWire(opened.bucket.client)]
        self._places = random.Random(7)
        self.sent: list[int] = []

    def announce(self, vault: TestedVault, blob: bytes) -> str:
        """Announce a snapshot and upload it; return its key."""
        record = vault.announce(0, blob)
        upload = self.blobs.presign_upload(record.blob_key, len(blob), sha256(blob).digest(), NOW_MS + HOUR_MS, "")
        assert self._uploads.put(upload, blob)
        return record.blob_key

    def run(self, rounds: int, now_ms: int = NOW_MS) -> Tally:
        """Apply retention for so many rounds, as one run of the function."""
        place = uuid(self._places.randrange(20))
        self._begin()
        return retention.run(
            self.opened.log,
            self.blobs,
            MemoryLimiter(),
            RETENTION,
            now_ms * 1000,
            start=place,
            has_time=self._time_for(rounds),
        )

    def run_until(self, is_done: Callable[[], bool], rounds: int, now_ms: int = NOW_MS) -> list[Tally]:
        """Apply retention in short runs, until all is done; return what each did."""
        tallies: list[Tally] = []
        while not is_done():
            tallies.append(self.run(rounds, now_ms))
            assert len(tallies) < MOST_RUNS
        return tallies

    def _begin(self) -> None:
        for wire in self._wires:
            wire.sent = 0

    def _time_for(self, rounds: int) -> Callable[[], bool]:
        left = [rounds]

        def has_time() -> bool:
            self.sent.append(sum(wire.sent for wire in self._wires))
            self._begin()
            left[0] -= 1
            return left[0] > 0

        return has_time


@pytest.fixture(autouse=True)
def _small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SWEEP_ROWS", "PRUNE_ROWS", "BLOBS_AT_A_TIME", "SNAPSHOTS_AT_A_TIME", "PUT_ASIDE_AT_A_TIME"):
        monkeypatch.setattr(retention, name, AT_A_TIME)


@pytest.fixture
def maintained(dynamodb_url: str, s3_url: str) -> Iterator[Maintained]:
    opened = OpenLog(dynamodb_url, s3_url)
    with httpx.Client() as client:
        yield Maintained(opened, client)
    opened.log.close()
    opened.client.close()


def of(opened: OpenLog, text: str) -> list[dict[str, Any]]:
    """Return the items of the log's table that tell of something, in their keys or elsewhere."""
    return [item for item in opened.items() if text in str(item)]


def objects(opened: OpenLog) -> list[str]:
    return [found["Key"] for found in opened.bucket.listed("")]


def test_a_vault_of_any_size_is_erased_over_several_runs_and_leaves_nothing(maintained: Maintained) -> None:
    opened = maintained.opened
    vault, neighbour = (TestedVault(opened.log, vault_id).found(vault_id) for vault_id in (GONE, STAYS))
    neighbour.push(1, 2)
    before = of(opened, STAYS)
    for number in range(1, 21):
        vault.join(f"device {number}")
        vault.push(number)
    vault.push_texts({uuid(number): LARGE for number in range(100, 113)})
    for number in range(12):
        maintained.announce(vault, b"%d" % number)
    vault.erase()
    opened.set_clock(0)
    of_vault = partial(of, opened, GONE)
    runs = maintained.run_until(lambda: len(of_vault()) == 3 and not objects(opened), rounds=2)  # its fence stays
    assert len(runs) > 3, "it took several"
    opened.set_clock(HOUR_MS)
    maintained.run(2)
    assert of_vault() == [{"pk": {"S": f"V#{GONE}"}, "sk": {"S": "M"}, "erased": {"BOOL": True}}]
    assert of(opened, "device ") == [], "no registration either"
    assert objects(opened) == []
    assert of(opened, STAYS) == before
    assert seqs_in(neighbour.page()) == [1, 2]


@pytest.mark.parametrize("vaults", [4, 16])
def test_a_step_sends_as_much_whether_few_uploads_are_pending_or_many(maintained: Maintained, vaults: int) -> None:
    """What stands for a million: short runs do the work, and no round sends more than a round ever may.

    Nor does it hold more: it is told of uploads by listings, page by page, and each page is a request.
    """
    pending = [TestedVault(maintained.opened.log, uuid(number)) for number in range(1, vaults + 1)]
    for number, vault in enumerate(pending):
        vault.found(f"founder {number}")
        for blob in range(PENDING_EACH):
            maintained.announce(vault, b"%d" % blob)
    later_ms = NOW_MS + 2 * HOUR_MS
    opened = maintained.opened
    tallies = maintained.run_until(lambda: not objects(opened) and not of(opened, "S#"), rounds=4, now_ms=later_ms)
    assert sum(tally.orphaned_blobs for tally in tallies) == PENDING_EACH * vaults
    assert [vault.announce_state(0, now_ms=later_ms).pending for vault in pending] == [0] * vaults
    assert max(maintained.sent) <= MOST_SENT


def test_what_was_killed_between_blob_and_commit_is_reaped_and_nothing_acknowledged_lost(
    maintained: Maintained,
) -> None:
    """A snapshot was uploaded and never completed; a push put its text into the bucket and never its entry."""
    opened = maintained.opened
    vault = TestedVault(opened.log, uuid(1)).found()
    vault.push_texts({uuid(1): LARGE, uuid(2): LARGE})
    kept = maintained.announce(vault, b"completed")
    assert vault.log.complete(vault.vault_id, kept, NOW_MS)
    maintained.announce(vault, b"killed before its completion")
    S3Texts(opened.bucket).put_text(f"{vault.vault_id}/{3:016x}-00-0", Sealed(b"killed before its entry"))

    maintained.run(5)
    assert len(objects(opened)) == 4, "they may still come"
    opened.set_clock(HOUR_MS)
    maintained.run(5, NOW_MS + HOUR_MS)
    assert len(objects(opened)) == 2
    assert texts_in(vault.page()) == [LARGE, LARGE]
    assert [record.blob_key for record in vault.info().snapshots] == [kept]


@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_relay_whose_clock_is_ten_minutes_off_reaps_nothing_that_is_under_way(
    maintained: Maintained, minutes: int
) -> None:
    """How old a text is, is told by the bucket's clock and the relay's: an hour leaves room for both."""
    opened = maintained.opened
    TestedVault(opened.log, uuid(1)).found()
    S3Texts(opened.bucket).put_text(f"{uuid(1)}/{1:016x}-00-0", Sealed(b"its entry is being put"))
    opened.set_clock(minutes * 60_000)
    maintained.run(5)
    assert len(opened.texts()) == 1
    opened.set_clock(HOUR_MS + 10 * 60_000)
    maintained.run(5)
    assert opened.texts() == []
