"""DynamoDB failing at every request that a method sends: it is asked again, and what was done is done once."""

import ast
from collections.abc import Callable, Iterator
from itertools import count, cycle
from typing import Any

import pytest

from relay.adapters.dynamodb import DynamoLimiter, DynamoLog
from relay.adapters.s3 import S3Texts
from relay.ports import (
    AnnouncePlan,
    AppendPlan,
    LogState,
    PairingPlan,
    PairingState,
    Quota,
    Receipt,
    Revocation,
    StoreUnavailable,
)
from tests.contract.faulty_wire import FAULTS, Fault, FaultyWire, HastyTime, Send, answer, lost_answer, throttled
from tests.contract.log_world import FOUNDER, NOW_MS, TestedVault, member, new_records, seqs_in, text_of, uuid
from tools.stand_ins.aws import dynamodb, new_bucket, new_limiter_table, new_log_table

_vaults = count(0xF0001)
_of_the_first: list[tuple[str, str]] = []
"""The id of the first vault, and the text of its items."""
PUT_AT_A_TIME = 25
"""What one BatchWriteItem takes."""
UNDONE = tuple(fault for fault in FAULTS if fault is not lost_answer)
"""Those that let nothing be done."""
LASTING = (throttled, lost_answer)
"""One that lets nothing be done, and one that lets all be done and tells no one."""

_turns = cycle(UNDONE)


def each_undone_in_turn(send: Send, request: Any) -> Any:
    return next(_turns)(send, request)


class FaultyLog:
    """A log behind a faulty wire, and vaults that hold what every method needs."""

    def __init__(self, client: Any, texts: S3Texts) -> None:
        self.wire = FaultyWire(client)
        self.table = new_log_table(client)
        self.log = DynamoLog(client, self.table, texts, patience=HastyTime().patience)
        self.client = client

    def vault(self) -> TestedVault:
        """A vault of its own: two members, three changesets, a snapshot of two, and one announced.

        All are the first one under another id, put as it lies in the table: there are hundreds.
        """
        vault_id = uuid(next(_vaults))
        if not _of_the_first:
            self._first(vault_id)
            items = self.client.scan(TableName=self.table)["Items"]
            _of_the_first.append((vault_id, repr([item for item in items if vault_id in str(item)])))
        else:
            first_id, items_text = _of_the_first[0]
            items = ast.literal_eval(items_text.replace(first_id, vault_id))
            for start in range(0, len(items), PUT_AT_A_TIME):
                puts = [{"PutRequest": {"Item": item}} for item in items[start : start + PUT_AT_A_TIME]]
                self.client.batch_write_item(RequestItems={self.table: puts})
        return TestedVault(self.log, vault_id)

    def _first(self, vault_id: str) -> TestedVault:
        vault = TestedVault(self.log, vault_id).found()
        vault.join("second")
        vault.push(1, 2)
        vault.push(3)
        vault.complete(2, b"covers two")
        vault.announce(0, b"pending")
        return vault


@pytest.fixture
def faulty(dynamodb_url: str, s3_url: str) -> Iterator[FaultyLog]:
    client = dynamodb(dynamodb_url)
    faulty = FaultyLog(client, S3Texts(new_bucket(s3_url)))
    yield faulty
    faulty.log.close()
    client.close()


def pushed(vault: TestedVault, *numbers: int) -> list[Receipt]:
    """Push as the core does: what is known is not stored again."""

    def plan(state: LogState) -> AppendPlan[list[Receipt]]:
        fresh = {uuid(number): text_of(uuid(number)) for number in numbers if uuid(number) not in state.known}
        records = new_records(state.head, fresh, NOW_MS)
        receipts = {**state.known, **{record.receipt.id: record.receipt for record in records}}
        return AppendPlan([receipts[uuid(number)] for number in numbers], records)

    vault.log.find_signer(FOUNDER, vault.vault_id)
    receipts = vault.log.append(vault.vault_id, FOUNDER, [uuid(number) for number in numbers], NOW_MS, plan)
    assert receipts is not None
    return receipts


def joined(vault: TestedVault) -> str:
    def plan(state: PairingState) -> PairingPlan[str]:
        return PairingPlan("member", None if state.device else member("third"))

    return vault.log.register(vault.vault_id, "third", FOUNDER, NOW_MS, plan)


def announced(vault: TestedVault) -> object:
    record = vault.snapshot_of(3, b"new")

    def plan(state: Any) -> AnnouncePlan[str]:
        return AnnouncePlan("announced", None if state.existing else record)

    return vault.log.announce(vault.vault_id, record.sha256, 3, NOW_MS, plan)


def completed(vault: TestedVault) -> object:
    (pending,) = [one for one in vault.info().snapshots if one.sha256 == vault.snapshot_of(0, b"pending").sha256]
    return vault.log.complete(vault.vault_id, pending.blob_key, NOW_MS) is not None


def erased(vault: TestedVault) -> object:
    info = vault.log.vault(vault.vault_id, NOW_MS)
    return vault.log.erase(vault.vault_id, info.head.chain if info else b"")


METHODS: dict[str, tuple[Callable[[TestedVault], object], Callable[[TestedVault], bool]]] = {
    "push": (
        lambda vault: [receipt.seq for receipt in pushed(vault, 4)],
        lambda vault: seqs_in(vault.page()) == [1, 2, 3, 4],
    ),
    "push a batch": (
        lambda vault: [receipt.seq for receipt in pushed(vault, 3, 4, 5)],
        lambda vault: seqs_in(vault.page()) == [1, 2, 3, 4, 5],
    ),
    "page": (lambda vault: seqs_in(vault.page()), lambda vault: seqs_in(vault.page()) == [1, 2, 3]),
    "register": (joined, lambda vault: vault.info().members == 3),
    "revoke": (
        lambda vault: vault.log.revoke(vault.vault_id, "second", NOW_MS),
        lambda vault: vault.log.revoke(vault.vault_id, FOUNDER, NOW_MS) is Revocation.LAST_MEMBER,
    ),
    "roster": (lambda vault: vault.log.roster(vault.vault_id), lambda vault: vault.info().members == 2),
    "companion": (lambda vault: vault.log.companion(FOUNDER, "second") is not None, lambda _: True),
    "announce": (announced, lambda vault: vault.announce_state(0).pending == 2),
    "complete": (completed, lambda vault: vault.announce_state(0).pending == 0 and vault.info().head.seq == 3),
    "drop": (
        lambda vault: vault.log.drop_snapshots(
            vault.vault_id, [one.blob_key for one in vault.info().snapshots], NOW_MS
        ),
        lambda vault: vault.info().snapshots == [] and vault.state().stored_bytes == vault.info().changeset_bytes,
    ),
    "prune": (
        lambda vault: vault.log.prune(vault.vault_id, NOW_MS + 1, 10),
        lambda vault: seqs_in(vault.page(2)) == [3] and vault.info().changeset_bytes == len(text_of(uuid(3))),
    ),
    "erase": (erased, lambda vault: vault.log.page(vault.vault_id, 0, 10, 10) is None),
    "vault_ids": (lambda vault: vault.vault_id in vault.log.vault_ids("", 10**6), lambda _: True),
}
READS = {"page", "roster", "companion", "vault_ids"}
"""Methods that change nothing: one vault does for all places."""


ENUMERATED = [
    *((fault, name) for fault in (each_undone_in_turn, lost_answer) for name in METHODS),
    *((fault, name) for fault in UNDONE for name in ("push", "revoke")),
]
"""Where nothing was done, one fault is as good as another once it is told apart: so not all go everywhere."""


@pytest.mark.parametrize(("fault", "name"), ENUMERATED, ids=[f"{name}-{fault.__name__}" for fault, name in ENUMERATED])
def test_one_fault_anywhere_is_not_noticed(faulty: FaultyLog, fault: Fault, name: str) -> None:
    method, holds = METHODS[name]
    vault = faulty.vault()
    place, sent = 0, 1
    while place < sent:
        if name not in READS:
            vault = faulty.vault()
        with faulty.wire.failing(fault, place):
            outcome = method(vault)
            sent = faulty.wire.sent
        assert holds(vault)
        if name != "prune":  # a second prune finds nothing to do, and says so
            assert method(vault) == outcome
        assert holds(vault)
        place += 1


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("fault", LASTING, ids=[fault.__name__ for fault in LASTING])
def test_where_faults_go_on_it_is_told_and_can_be_repeated(faulty: FaultyLog, fault: Fault, name: str) -> None:
    """From any request on, all fail until the deadline; later the client sends the same again."""
    method, holds = METHODS[name]
    vault = faulty.vault()
    for place in range(40):
        if name not in READS:
            vault = faulty.vault()
        reason = ""
        try:
            with faulty.wire.failing(fault, place, times=10**6):
                method(vault)
        except StoreUnavailable as error:
            reason = error.reason
        if not reason:
            break  # it does not send so many
        assert reason in {"throttled", "contended", "server error", "not reached", "timed out"}
        method(vault)
        assert holds(vault)
    assert 0 < place < 39


def test_a_push_whose_own_answers_get_lost_is_told_as_new(faulty: FaultyLog) -> None:
    """What it stored itself is no duplicate: the store's answers went astray, not the client's."""
    vault = faulty.vault()
    for number, place in enumerate((2, 3), 4):
        planned: list[int] = []

        def plan(state: LogState, number: int = number, planned: list[int] = planned) -> AppendPlan[None]:
            planned.append(number)
            return AppendPlan(None, new_records(state.head, {uuid(number): b"x"}, NOW_MS))

        with faulty.wire.failing(lost_answer, place):
            vault.log.append(vault.vault_id, FOUNDER, [uuid(number)], NOW_MS, plan)
            assert faulty.wire.sent == 5
        assert planned == [number]


def test_a_throttled_item_of_a_batch_is_read_again(faulty: FaultyLog) -> None:
    """BatchGetItem may leave keys out without an error."""
    vault = faulty.vault()
    real = faulty.client.batch_get_item
    left_out: list[bool] = []

    def partly(**parameters: Any) -> Any:
        told = real(**parameters)
        if not left_out:
            left_out.append(True)
            return {**told, "Responses": {}, "UnprocessedKeys": parameters["RequestItems"]}
        return told

    faulty.client.batch_get_item = partly
    try:
        assert vault.state(1).known.keys() == {uuid(1)}
    finally:
        faulty.client.batch_get_item = real
    assert left_out


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("ResourceNotFoundException", "table missing"),
        ("AccessDeniedException", "not permitted"),
        ("ExpiredTokenException", "not permitted"),
        ("InvalidSignatureException", "not permitted"),
    ],
)
def test_what_waiting_does_not_mend_is_told_at_once(faulty: FaultyLog, code: str, reason: str) -> None:
    """A table that is missing, another region, no permission, a clock that is off."""
    with (
        faulty.wire.failing(lambda _, request: answer(request, 400, code), times=10**6),
        pytest.raises(StoreUnavailable) as raised,
    ):
        faulty.log.ping()
    assert (raised.value.reason, faulty.wire.sent) == (reason, 1)


@pytest.mark.parametrize("message", ["Signature expired: it is now earlier than", "Signature not yet current: it"])
def test_a_clock_that_is_off_is_told_as_such(faulty: FaultyLog, message: str) -> None:
    """DynamoDB tells it in words alone: the code is that of a wrong key."""

    def refuse(_: Any, request: Any) -> Any:
        return answer(request, 400, "InvalidSignatureException", message=message)

    with faulty.wire.failing(refuse, times=10**6), pytest.raises(StoreUnavailable, match=r"^clock off$"):
        faulty.log.ping()


def test_an_error_that_nobody_expects_is_a_defect_and_not_hidden(faulty: FaultyLog) -> None:
    def refuse(_: Any, request: Any) -> Any:
        return answer(request, 400, "ValidationException")

    with faulty.wire.failing(refuse), pytest.raises(Exception, match="ValidationException") as raised:
        faulty.log.ping()
    assert not isinstance(raised.value, StoreUnavailable)


def test_without_a_limiter_it_is_told_soon(dynamodb_url: str) -> None:
    client = dynamodb(dynamodb_url)
    wire, time = FaultyWire(client), HastyTime()
    limiter = DynamoLimiter(client, new_limiter_table(client), patience=lambda: time.patience(0.5))
    for fault in FAULTS:
        with wire.failing(fault, times=10**6), pytest.raises(StoreUnavailable):
            limiter.take(b"key", Quota(600, 60), NOW_MS * 1000)
    assert time.seconds <= 0.5 * len(FAULTS)
    client.close()
