"""DynamoDB and S3 failing at every request that a method sends: it is asked again, and what was done is done once."""

import os
from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any

import pytest

from relay.adapters.dynamodb import DynamoLimiter
from relay.ports import AppendPlan, Limiter, Log, LogState, Quota, StoreUnavailable
from tests.contract.dynamodb_methods import METHODS, FaultyLog
from tests.contract.faulty_wire import (
    FAULTS,
    PARTIAL,
    S3_FAULTS,
    Fault,
    FaultyWire,
    HastyTime,
    Send,
    answer,
    lost_answer,
    throttled,
)
from tests.contract.log_world import FOUNDER, NOW_MS, TestedVault, new_records, uuid
from tests.figures import Report
from tests.http.faults import Recorder
from tools.stand_ins.aws import dynamodb, new_bucket, new_limiter_table, new_log_table

UNDONE = (*(fault for fault in FAULTS if fault is not lost_answer), *PARTIAL)
"""Those that let nothing, or not all, be done."""
LASTING = (throttled, lost_answer)
"""One that lets nothing be done, and one that lets all be done and tells no one."""
MOST_PLACES = 60

_turns = cycle(UNDONE)
_s3_turns = cycle(fault for fault in S3_FAULTS if fault is not lost_answer)


def each_undone_in_turn(send: Send, request: Any) -> Any:
    return next(_turns)(send, request)


def each_of_s3_in_turn(send: Send, request: Any) -> Any:
    return next(_s3_turns)(send, request)


@pytest.fixture
def faulty(dynamodb_url: str, s3_url: str) -> Iterator[FaultyLog]:
    client = dynamodb(dynamodb_url)
    faulty = FaultyLog(client, new_log_table(client), new_bucket(s3_url))
    yield faulty
    faulty.log.close()
    client.close()


def test_every_method_of_the_log_is_enumerated(faulty: FaultyLog) -> None:
    """One that is new has to be told here how it is called."""
    called: set[str] = set()
    for name, case in METHODS.items():
        vault = faulty.prepared(case)
        recorded: Any = Recorder("log", faulty.log, called)
        with faulty.texts_wire.failing(None):
            case.method(TestedVault(recorded, vault.vault_id))
            assert bool(faulty.texts_wire.sent) == (name in WITH_TEXTS)
    assert called >= {f"log.{name}" for name in vars(Log) if not name.startswith("_")}


WITH_TEXTS = ("page large", "prune large", "push large", "reap", "sweep", "sweep in parts", "sweep large")
"""The cases that send to S3; a test holds this against what they send."""
WIRES: dict[str, tuple[Fault, ...]] = {"wire": UNDONE, "texts_wire": S3_FAULTS}
ENUMERATED = [
    *(("wire", fault, name) for fault in (each_undone_in_turn, lost_answer) for name in METHODS),
    *(("wire", fault, name) for fault in UNDONE for name in ("push", "revoke")),
    *(("texts_wire", fault, name) for fault in (each_of_s3_in_turn, lost_answer) for name in WITH_TEXTS),
]
"""Where nothing was done, one fault is as good as another once it is told apart: not all go everywhere by default."""
if "RELAY_TEST_PROVE" in os.environ:
    ENUMERATED = [(wire, fault, name) for wire in WIRES for fault in {*WIRES[wire], lost_answer} for name in METHODS]
    ENUMERATED.sort(key=lambda one: (one[0], one[1].__name__, one[2]))


@pytest.mark.parametrize(
    ("wire", "fault", "name"), ENUMERATED, ids=[f"{name}-{wire}-{fault.__name__}" for wire, fault, name in ENUMERATED]
)
def test_one_fault_anywhere_is_not_noticed(
    faulty: FaultyLog, wire: str, fault: Fault, name: str, report: Report
) -> None:
    case, failing = METHODS[name], getattr(faulty, wire)
    vault = faulty.prepared(case)
    with failing.failing(None):
        case.method(vault)
        places = failing.sent
    place = 0
    while place < places:
        if not case.is_read:
            vault = faulty.prepared(case)
        with failing.failing(fault, place):
            outcome = case.method(vault)
            places = failing.sent
        assert case.holds(vault)
        if not name.startswith("prune"):  # a second prune finds nothing to do, and says so
            assert case.method(vault) == outcome
        assert case.holds(vault)
        place += 1
    report("places", places)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("fault", LASTING, ids=[fault.__name__ for fault in LASTING])
def test_where_faults_go_on_it_is_told_and_can_be_repeated(
    faulty: FaultyLog, fault: Fault, name: str, report: Report
) -> None:
    """From any request on, all fail until the deadline; later the client sends the same again."""
    case = METHODS[name]
    vault = faulty.prepared(case)
    for place in range(MOST_PLACES):
        if not case.is_read:
            vault = faulty.prepared(case)
        reason = ""
        try:
            with faulty.wire.failing(fault, place, times=10**6):
                case.method(vault)
        except StoreUnavailable as error:
            reason = error.reason
        if not reason:
            break  # it does not send so many
        assert reason in {"throttled", "contended", "server error", "not reached", "timed out"}
        case.method(vault)
        assert case.holds(vault)
    report("places", place)
    assert 0 < place < MOST_PLACES - 1


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


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.__name__ for fault in FAULTS])
def test_one_fault_of_the_limiter_anywhere_is_not_noticed(dynamodb_url: str, fault: Fault, report: Report) -> None:
    client = dynamodb(dynamodb_url)
    wire, quota = FaultyWire(client), Quota(100, 60)
    limiter = DynamoLimiter(client, new_limiter_table(client), patience=lambda: HastyTime().patience(0.5))
    methods: dict[str, Callable[[], bool | None]] = {
        "take": lambda: limiter.take(b"key", quota, NOW_MS * 1000).allowed,
        "forget": lambda: limiter.forget(0),
    }
    assert methods.keys() == {name for name in vars(Limiter) if not name.startswith("_")}
    for method in methods.values():
        place, places = 0, 1
        while place < places:
            with wire.failing(fault, place):
                assert method() in {True, None}
                places = wire.sent
            place += 1
        report("places", places)
    client.close()


def test_without_a_limiter_it_is_told_soon(dynamodb_url: str) -> None:
    client = dynamodb(dynamodb_url)
    wire, time = FaultyWire(client), HastyTime()
    limiter = DynamoLimiter(client, new_limiter_table(client), patience=lambda: time.patience(0.5))
    for fault in FAULTS:
        with wire.failing(fault, times=10**6), pytest.raises(StoreUnavailable):
            limiter.take(b"key", Quota(600, 60), NOW_MS * 1000)
    assert time.seconds <= 0.5 * len(FAULTS)
    client.close()
