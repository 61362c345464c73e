"""When a store fails: 503, nothing half done; when the relay itself fails: a constant 500, its id in the log (§6)."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from relay.http import gateway
from relay.http.vaults import ENDPOINTS
from relay.ports import StoreUnavailable
from relay_protocol.encoding import is_uuid
from relay_protocol.limits import RateLimit
from tests.http.device import uuid_of
from tests.http.documented import read
from tests.http.faults import BLOB, CALLS, REQUESTS, TOUCHES, Recorder, Touch, break_port, prepare
from tests.http.world import Vault, World, new_telemetry

CANARY = "canary-0e5b1d"
REASON = "the disk is full"


@pytest.fixture(params=["memory", "sqlite"])
def store_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def vault(world: World) -> Vault:
    """A vault that each kind of request finds something to do in."""
    vault = world.found()
    prepare(vault)
    world.configure(rate_limit=RateLimit(requests=600, window_seconds=60))
    return vault


@pytest.mark.parametrize("request_kind", REQUESTS)
def test_the_table_of_calls_is_true(vault: Vault, request_kind: str) -> None:
    called: set[str] = set()
    relay = vault.world.relay
    vault.world.replace(log=Recorder("log", relay.log, called), blobs=Recorder("blobs", relay.blobs, called))
    assert REQUESTS[request_kind](vault).status < 300
    assert called == set(CALLS[request_kind].split())


# ---------------------------------------------------------------- a store is down


@pytest.mark.parametrize("touch", TOUCHES, ids=str)
def test_a_store_that_cannot_answer_gives_503_and_says_when_to_come_again(vault: Vault, touch: Touch) -> None:
    break_port(vault.world, touch, StoreUnavailable(REASON))
    answer = REQUESTS[touch.request](vault)
    assert answer.outcome == (503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0
    assert REASON not in answer.text
    assert [reason for _, reason in vault.world.telemetry.of("store_unavailable")] == [REASON]


@pytest.mark.parametrize("after", [False, True], ids=["before it did", "after it did"])
@pytest.mark.parametrize("touch", TOUCHES, ids=str)
def test_repeating_what_failed_is_safe(vault: Vault, touch: Touch, *, after: bool) -> None:
    mend = break_port(vault.world, touch, StoreUnavailable(REASON), after=after)
    REQUESTS[touch.request](vault)
    mend()
    answer = REQUESTS[touch.request](vault)
    if touch.request == "erase" and touch.method in {"erase", "delete", "sweep"}:
        assert answer.status in {204, 401}, "who repeats an erasure takes 401 as done"
    else:
        assert answer.status < 300


@pytest.mark.parametrize("touch", [one for one in TOUCHES if one.request == "erase"], ids=str)
def test_what_a_failed_erasure_left_goes_with_the_next_retention(vault: Vault, touch: Touch) -> None:
    mend = break_port(vault.world, touch, StoreUnavailable(REASON))
    REQUESTS["erase"](vault)
    mend()
    REQUESTS["erase"](vault)
    vault.world.maintain()
    assert list(vault.world.blobs.keys()) == []
    assert vault.world.relay.log.sweep(1_000) is False


def test_a_push_that_failed_before_it_was_stored_is_not_there(vault: Vault) -> None:
    mend = break_port(vault.world, Touch("push", "log", "append"), StoreUnavailable(REASON))
    REQUESTS["push"](vault)
    mend()
    assert vault.head()["seq"] == 1
    assert REQUESTS["push"](vault).status == 201


def test_a_push_whose_answer_was_lost_is_a_duplicate(vault: Vault) -> None:
    mend = break_port(vault.world, Touch("push", "log", "append"), StoreUnavailable(REASON), after=True)
    REQUESTS["push"](vault)
    mend()
    assert REQUESTS["push"](vault).status == 200
    assert vault.head()["seq"] == 2


MAINTENANCE = [
    *(
        Touch("retention", "log", method)
        for method in ("sweep", "reap", "vault_ids", "vault", "drop_snapshots", "prune")
    ),
    *(Touch("retention", "blobs", method) for method in ("delete", "keys")),
    Touch("retention", "limiter", "forget"),
]


@pytest.mark.parametrize("after", [False, True], ids=["before it did", "after it did"])
@pytest.mark.parametrize("touch", MAINTENANCE, ids=str)
def test_a_retention_that_failed_is_finished_by_the_next(vault: Vault, touch: Touch, *, after: bool) -> None:
    for number in range(4):
        vault.world.clock.advance(1)
        vault.snapshot(b"snapshot %d" % number, covers=1)
    vault.world.found().erase()
    vault.world.clock.advance(31 * 24 * 3600)
    mend = break_port(vault.world, touch, StoreUnavailable(REASON), after=after)
    with pytest.raises(StoreUnavailable):
        vault.world.maintain()
    mend()
    vault.world.maintain()
    assert vault.info()["floor"]["seq"] == 1
    assert len(list(vault.world.blobs.keys())) == len(vault.call("GET", "/snapshots").json["snapshots"]) == 3
    latest = vault.call("GET", "/snapshots/latest").json["snapshot"]
    assert vault.world.download(latest) == b"snapshot 3"


# ---------------------------------------------------------------- a defect


@pytest.mark.parametrize("touch", TOUCHES, ids=str)
def test_a_defect_gives_a_constant_500_whose_id_is_in_the_log(vault: Vault, touch: Touch) -> None:
    break_port(vault.world, touch, ValueError(CANARY))
    answer = REQUESTS[touch.request](vault)
    assert answer.outcome == (500, "internal")
    ((request_id, error),) = vault.world.telemetry.of("failed")
    problem = answer.json
    assert problem.pop("id") == request_id
    assert is_uuid(request_id)
    assert problem == {"type": "about:blank", "title": "The relay failed", "status": 500, "code": "internal"}
    assert isinstance(error, ValueError)


def test_a_defect_of_the_limiter_is_one_of_the_relay(vault: Vault) -> None:
    break_port(vault.world, Touch("vault", "limiter", "take"), ValueError(CANARY))
    event = vault.world.draft(vault.founder, "GET", vault.path).event()
    assert read(gateway.handle(vault.world.relay, ENDPOINTS, event)).outcome == (500, "internal")


@pytest.mark.parametrize("error", [KeyError, RecursionError, MemoryError, AssertionError, OSError, UnicodeDecodeError])
def test_a_defect_of_any_kind_is_answered(vault: Vault, error: type[Exception]) -> None:
    raised = error("utf-8", b"", 0, 1, CANARY) if error is UnicodeDecodeError else error(CANARY)
    break_port(vault.world, Touch("push", "log", "append"), raised)
    answer = REQUESTS["push"](vault)
    assert answer.status == 500
    assert CANARY not in answer.text


def test_a_request_that_did_not_fail_is_not_told_as_failed(vault: Vault) -> None:
    REQUESTS["push"](vault)
    vault.call("GET", "/nowhere")
    assert {kind for kind, _ in vault.world.telemetry.told} == {"answered"}


# ---------------------------------------------------------------- what the operator is told


def test_every_answer_is_told_by_route_status_and_code(vault: Vault) -> None:
    vault.world.telemetry.told.clear()
    vault.pull()
    vault.pull(since=9)
    vault.world.call(None, "GET", "/nowhere")
    told = [(answer.route, answer.status, answer.code) for (answer,) in vault.world.telemetry.of("answered")]
    pull = "GET /vaults/{vault_id}/changesets"
    assert told == [(pull, 200, None), (pull, 409, "cursor_ahead"), ("none", 404, "route_not_found")]


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_the_logs_line_of_a_defect_has_the_id_of_the_answer_and_where_it_was(
    vault: Vault, capsys: pytest.CaptureFixture[str]
) -> None:
    vault.world.replace(telemetry=new_telemetry("INFO"))
    break_port(vault.world, Touch("push", "log", "append"), ValueError(CANARY))
    answer = REQUESTS["push"](vault)
    lines = _lines(capsys)
    failed = next(line for line in lines if line.get("error") == "ValueError")
    assert failed["request_id"] == answer.json["id"]
    assert any(frame.startswith("push.py:") for frame in failed["frames"])
    assert CANARY not in str(lines)


@pytest.mark.parametrize(
    ("touch", "error", "metric"),
    [
        (Touch("push", "log", "append"), ValueError(CANARY), "InternalError"),
        (Touch("push", "log", "append"), StoreUnavailable(REASON), "StoreUnavailable"),
        (Touch("push", "limiter", "take"), StoreUnavailable(REASON), "LimiterFailed"),
    ],
    ids=["defect", "store", "limiter"],
)
def test_failures_are_counted_by_a_metric(
    vault: Vault, capsys: pytest.CaptureFixture[str], touch: Touch, error: Exception, metric: str
) -> None:
    vault.world.replace(telemetry=new_telemetry("ERROR"))
    break_port(vault.world, touch, error)
    REQUESTS["push"](vault)
    counted = [line for line in _lines(capsys) if metric in line]
    assert [line[metric] for line in counted] == [[1.0]]
    assert counted[0]["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "SyncRelay"


def test_a_success_is_told_at_debug_alone(vault: Vault, capsys: pytest.CaptureFixture[str]) -> None:
    vault.world.replace(telemetry=new_telemetry("INFO"))
    REQUESTS["push"](vault)
    assert _lines(capsys) == []
    vault.world.replace(telemetry=new_telemetry("DEBUG"))
    REQUESTS["push"](vault)
    assert [line["status"] for line in _lines(capsys)] == [200]


def test_with_metrics_each_answer_is_one_line_by_route_and_code(
    vault: Vault, capsys: pytest.CaptureFixture[str]
) -> None:
    vault.world.replace(telemetry=new_telemetry("INFO", service="prod", request_metrics=True))
    vault.pull()
    vault.pull(since=9)
    success, refusal = _lines(capsys)
    pull, vault_hash = "GET /vaults/{vault_id}/changesets", vault.world.relay.vault_hash(vault.id)
    for line in success, refusal:
        assert (line["service"], line["route"], line["vault"]) == ("prod", pull, vault_hash)
        (directive,) = line["_aws"]["CloudWatchMetrics"]
        assert directive["Metrics"] == [{"Name": "Duration", "Unit": "Microseconds"}]
        assert len(line["Duration"]) == 1
    by_route, by_code = ["service", "route"], ["service", "code"]
    assert success["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [by_route]
    assert refusal["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [by_route, by_code]
    assert (success["status"], "code" in success, success["cold_start"]) == (200, False, True)
    assert (refusal["status"], refusal["code"], refusal["cold_start"]) == (409, "cursor_ahead", False)
    assert success["request_id"] != refusal["request_id"]


def test_a_vault_is_told_by_a_keyed_hash_that_differs_between_vaults_and_relays(vault: Vault) -> None:
    relay = vault.world.relay
    stranger = uuid_of("nobody")
    vault.pull()
    vault.call("GET", "/nowhere")
    vault.world.call(None, "GET", f"/vaults/{stranger}")
    vault.world.call(None, "GET", "/health")
    told = [answer.vault for (answer,) in vault.world.telemetry.of("answered")][-4:]
    assert told == [relay.vault_hash(vault.id), None, relay.vault_hash(stranger), None]
    assert relay.vault_hash(vault.id) != relay.vault_hash(stranger)
    assert replace(relay, address_key=b"j" * 32).vault_hash(vault.id) != relay.vault_hash(vault.id)
    assert re.fullmatch("[0-9a-f]{16}", relay.vault_hash(vault.id))


def test_the_blob_is_still_there_after_all_these_failures(vault: Vault) -> None:
    for touch in TOUCHES:
        if touch.request not in {"erase", "revoke"}:
            mend = break_port(vault.world, touch, StoreUnavailable(REASON))
            REQUESTS[touch.request](vault)
            mend()
    assert vault.world.download(vault.call("GET", "/snapshots/latest").json["snapshot"]) == BLOB
