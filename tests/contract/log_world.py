"""A vault of a log under test: the plans that the core would make, in their plainest form."""

from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import count

from relay.ports import (
    AnnouncePlan,
    AnnounceState,
    AppendPlan,
    Endorsement,
    Log,
    LogState,
    Member,
    NewRecord,
    Page,
    PairingPlan,
    PairingState,
    Receipt,
    SnapshotRecord,
    VaultInfo,
)
from relay_protocol.chain import Head, extend
from relay_protocol.sealed import Sealed, into_store

NOW_MS = 1_777_195_800_000
HOUR_MS = 3_600_000
FOUNDER = "founder"
STRANGE = "nul \0, line separator \u2028, astral \U0001f5dd, quote ' \" \\, right to left \u202e"
"""Text that a careless store cuts short, escapes or refuses."""

_numbers = count(1)


def uuid(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-{number:012x}"


def key_of(device_id: str) -> bytes:
    return sha256(device_id.encode()).digest()


def member(device_id: str, at_ms: int = NOW_MS, endorsement: Endorsement | None = None) -> Member:
    return Member(device_id, key_of(device_id), at_ms, None, endorsement)


def text_of(changeset_id: str) -> bytes:
    return b'{"id":"%b"}' % changeset_id.encode()


def new_records(head: Head, texts: dict[str, bytes], now_ms: int) -> list[NewRecord]:
    """Number and chain these texts after the head."""
    records = []
    for changeset_id, text in texts.items():
        digest = sha256(text).digest()
        head = extend(head, digest)
        receipt = Receipt(changeset_id, digest, head.seq, head.chain, now_ms)
        records.append(NewRecord(receipt, Sealed(text), len(text)))
    return records


def texts_in(page: Page) -> list[bytes]:
    return [into_store(record.text) for record in page.records]


def seqs_in(page: Page) -> list[int]:
    return [record.seq for record in page.records]


class PlanFailed(Exception):
    """A plan raised, as a defect of the core would."""


@dataclass
class TestedVault:
    """One vault; what a method of the port returns as None for a vault that is not live is an error here."""

    __test__ = False

    log: Log
    vault_id: str

    # -------- devices

    def found(self, device_id: str = FOUNDER, now_ms: int = NOW_MS, epoch: str = uuid(0xE)) -> "TestedVault":
        plan = PairingPlan(None, member(device_id, now_ms), epoch)
        self.log.register(self.vault_id, device_id, None, now_ms, lambda _: plan)
        return self

    def join(self, device_id: str, now_ms: int = NOW_MS) -> Member:
        joined = member(device_id, now_ms, Endorsement(FOUNDER, 1_777_200_000, "signed"))
        self.log.register(self.vault_id, device_id, FOUNDER, now_ms, lambda _: PairingPlan(None, joined))
        return joined

    def pairing_state(self, device_id: str, endorser_id: str | None = None) -> PairingState:
        return self.log.register(self.vault_id, device_id, endorser_id, NOW_MS, PairingPlan)

    # -------- changesets

    def push(self, *numbers: int, now_ms: int = NOW_MS) -> list[Receipt]:
        return self.push_texts({uuid(number): text_of(uuid(number)) for number in numbers}, now_ms)

    def push_texts(self, texts: dict[str, bytes], now_ms: int = NOW_MS) -> list[Receipt]:
        def plan(state: LogState) -> AppendPlan[list[Receipt]]:
            records = new_records(state.head, texts, now_ms)
            return AppendPlan([record.receipt for record in records], records)

        receipts = self.log.append(self.vault_id, FOUNDER, list(texts), now_ms, plan)
        assert receipts is not None
        return receipts

    def state(self, *numbers: int, device_id: str = FOUNDER, now_ms: int = NOW_MS) -> LogState:
        ids = [uuid(number) for number in numbers]
        state = self.log.append(self.vault_id, device_id, ids, now_ms, AppendPlan)
        assert state is not None
        return state

    def page(self, since: int = 0, limit: int = 100, max_bytes: int = 1_000_000) -> Page:
        page = self.log.page(self.vault_id, since, limit, max_bytes)
        assert page is not None
        return page

    # -------- the vault

    def info(self, now_ms: int = NOW_MS) -> VaultInfo:
        info = self.log.vault(self.vault_id, now_ms)
        assert info is not None
        return info

    def erase(self) -> None:
        assert self.log.erase(self.vault_id, self.info().head.chain) is None
        assert self.log.vault(self.vault_id, NOW_MS) is None

    # -------- snapshots

    def snapshot_of(self, covers_seq: int, blob: bytes = b"blob", now_ms: int = NOW_MS) -> SnapshotRecord:
        """A record that is ready to be announced; each has a blob key of its own, and expires after an hour."""
        chain = self.announce_state(covers_seq).chain_at_covers
        assert chain is not None
        return SnapshotRecord(
            sha256=sha256(blob).digest(),
            size_bytes=len(blob),
            key_id="key",
            schema_version=1,
            covers=Head(covers_seq, chain),
            origin_device=FOUNDER,
            created_at_ms=now_ms,
            expires_at_ms=now_ms + HOUR_MS,
            blob_key=f"{self.vault_id}/{uuid(next(_numbers))}",
        )

    def announce(self, covers_seq: int, blob: bytes = b"blob", now_ms: int = NOW_MS) -> SnapshotRecord:
        record = self.snapshot_of(covers_seq, blob, now_ms)
        self.log.announce(self.vault_id, record.sha256, covers_seq, now_ms, lambda _: AnnouncePlan(None, record))
        return record

    def complete(self, covers_seq: int, blob: bytes = b"blob", now_ms: int = NOW_MS) -> SnapshotRecord:
        """Announce and complete a snapshot."""
        record = self.announce(covers_seq, blob, now_ms)
        completed = self.log.complete(self.vault_id, record.blob_key, now_ms)
        assert completed == replace(record, available=True)
        return completed

    def announce_state(self, covers_seq: int, blob: bytes = b"", now_ms: int = NOW_MS) -> AnnounceState:
        digest = sha256(blob).digest()
        state = self.log.announce(self.vault_id, digest, covers_seq, now_ms, AnnouncePlan)
        assert state is not None
        return state

    def find(self, record: SnapshotRecord, now_ms: int = NOW_MS) -> SnapshotRecord | None:
        found = self.log.snapshot(self.vault_id, record.sha256, now_ms)
        assert found is not None
        return found[1]
