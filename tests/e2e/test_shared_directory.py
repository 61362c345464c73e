"""Several instances of the functions on one directory, as on EFS: sharded SQLite files with a rollback journal.

Each push is there once, in one chain without a gap, whatever the instances do to each other.
"""

import json
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from threading import Event as Flag
from threading import Timer

import pytest

from relay.adapters.sqlite import ShardedSqliteLog
from relay.adapters.sqlite.connections import Journal
from relay.ports import AppendPlan
from relay_protocol.chain import extend, genesis
from tests.backends import need_built_functions
from tests.contract.at_once import at_once, beside
from tests.contract.log_world import NOW_MS, TestedVault, seqs_in
from tests.e2e.instances import EmulatedFunction, FunctionFailed, HandlerProcess, Instance, InstanceGone, Sender, send
from tests.http.device import Device, Json, uuid_of
from tools.stand_ins.aws import ACCESS_KEY, REGION, SECRET_KEY, new_bucket

pytestmark = pytest.mark.as_built

SHARDS = 4
INSTANCES = 8
PUSHES = 12
BATCH = 3
ERASED_CHANGESETS = 40
KILLED_AT_PUSH = [1, 4, 7]
LONGEST_PUSH_SECONDS = 0.02

Kind = tuple[type[HandlerProcess | EmulatedFunction], Journal]
"""What an instance is, and the journal that it uses."""
Start = Callable[[str], Instance]
Acknowledged = dict[str, dict[int, str]]
"""By vault: which changeset was told to be at which seq."""


@pytest.fixture(
    params=[(HandlerProcess, "delete"), (HandlerProcess, "persist"), (EmulatedFunction, "persist")],
    ids=["handlers-delete", "handlers-persist", "built-persist"],
)
def kind(request: pytest.FixtureRequest) -> Kind:
    kind: Kind = request.param
    if kind[0] is EmulatedFunction:
        need_built_functions()
    return kind


@pytest.fixture
def variables(tmp_path: Path, s3_url: str, kind: Kind) -> dict[str, str]:
    bucket = new_bucket(s3_url)
    bucket.client.close()
    return {
        "RELAY_METADATA": "sqlite",
        "RELAY_SQLITE_SHARDS": str(SHARDS),
        "RELAY_SQLITE_JOURNAL": kind[1],
        "RELAY_DATA_DIR": str(tmp_path),
        "RELAY_BLOBS": "s3",
        "RELAY_BUCKET": bucket.name,
        "RELAY_S3_ENDPOINT": s3_url,
        "RELAY_ADDRESS_KEY": "k" * 32,
        "RELAY_RATE_LIMIT": "100000/60",
        "RELAY_CHANGESET_DAYS": "0",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
    }


@pytest.fixture
def start(kind: Kind, variables: dict[str, str]) -> Iterator[Start]:
    with ExitStack() as stack:
        yield lambda group: stack.enter_context(closing(kind[0](group, variables)))


@pytest.fixture
def sender() -> Sender:
    """One device, in all vaults: its pushes meet those that it sends through other instances."""
    return Sender(Device.named("founder"))


@pytest.fixture
def vaults(start: Start, sender: Sender) -> list[str]:
    """A vault that all instances write to, and one for each of them."""
    devices = start("devices")
    return [sender.found(devices, f"vault {number}") for number in range(INSTANCES + 1)]


def batch(sender: Sender, name: str) -> list[Json]:
    return [sender.device.changeset(f"{name}.{number}") for number in range(BATCH)]


def seqs_of(answer: Json) -> dict[int, str]:
    return {receipt["seq"]: receipt["id"] for receipt in answer["receipts"]}


def check(directory: Path, sender: Sender, told: Acknowledged) -> None:
    """Read each vault from the files: no gap, nothing twice, and all that was acknowledged where it was told to be."""
    log = ShardedSqliteLog(directory, SHARDS, journal="persist")
    for vault_id, seqs in told.items():
        state = log.append(vault_id, sender.device.id, list(seqs.values()), NOW_MS, AppendPlan)
        assert state is not None
        receipts = sorted(state.known.values(), key=lambda receipt: receipt.seq)
        assert {receipt.seq: receipt.id for receipt in receipts} == seqs
        head = genesis(vault_id)
        for receipt in receipts:
            head = extend(head, receipt.digest)
            assert (receipt.seq, receipt.chain) == (head.seq, head.chain)
        assert state.head == head
        floor_seq = TestedVault(log, vault_id).info().floor.seq
        page = TestedVault(log, vault_id).page(floor_seq, limit=10_000)
        assert seqs_in(page) == list(range(floor_seq + 1, head.seq + 1))
    log.close()


def test_instances_that_lose_answers_write_each_changeset_once(
    tmp_path: Path, kind: Kind, start: Start, sender: Sender, vaults: list[str]
) -> None:
    def push(instance: Instance, number: int) -> Acknowledged:
        told: Acknowledged = {}
        for index in range(PUSHES):
            vault_id = vaults[number if index % 2 else 0]
            event = sender.push(vault_id, batch(sender, f"{number}.{index}"))
            answer = send(instance, event, 201)
            if index % 3 == 0:
                again = send(instance, event, 200)
                assert [one["status"] for one in again["receipts"]] == ["duplicate"] * BATCH
                assert seqs_of(again) == seqs_of(answer)
            told.setdefault(vault_id, {}).update(seqs_of(answer))
        return told

    def maintain(ended: Flag) -> None:
        """Beside: texts that a snapshot covers are pruned, what erasures left is swept, and their file rewritten."""
        devices, changesets, functions = start("devices"), start("changesets"), start("vaults")
        maintenance, number = start("maintenance"), 0
        was_ended = False
        while not was_ended:
            was_ended, number = ended.is_set(), number + 1
            shared.complete(shared.info().head.seq, b"%d" % number)
            erased = sender.found(devices, f"erased {number}")
            filling = [sender.device.changeset(f"erased {number}.{n}") for n in range(ERASED_CHANGESETS)]
            head = send(changesets, sender.push(erased, filling), 201)["head"]
            match = {"If-Match": f'"{head["chain"]}"'}
            send(functions, sender.event("DELETE", f"/vaults/{erased}", headers=match), 204)
            assert maintenance.invoke({})["vaults"] == len(vaults)

    log = ShardedSqliteLog(tmp_path, SHARDS, journal=kind[1])
    shared, told = TestedVault(log, vaults[0]), Acknowledged()
    with beside(maintain):
        instances = [start("changesets") for _ in range(INSTANCES)]
        pushers = [partial(push, instance, number) for number, instance in enumerate(instances, 1)]
        for own in at_once(*pushers):
            for vault_id, seqs in own.items():
                assert not told.get(vault_id, {}).keys() & seqs.keys()
                told.setdefault(vault_id, {}).update(seqs)
    assert sum(map(len, told.values())) == INSTANCES * PUSHES * BATCH
    assert shared.info().floor.seq == len(told[shared.vault_id])
    log.close()
    check(tmp_path, sender, told)


def test_where_the_mount_is_missing_a_client_gets_503_and_the_operator_a_line_until_it_is_back(
    tmp_path: Path, start: Start, sender: Sender
) -> None:
    away = tmp_path.with_name(f"{tmp_path.name}.away")
    devices, changesets, maintenance = start("devices"), start("changesets"), start("maintenance")
    tmp_path.rename(away)
    push = sender.push(uuid_of("vault"), batch(sender, "1"))
    answer = changesets.invoke(push)
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (503, "unavailable")
    told = [line for line in map(json_of, changesets.lines()) if line.get("message") == "store unavailable"]
    assert [line["reason"] for line in told] == ["data directory missing"]
    with pytest.raises((InstanceGone, FunctionFailed)):
        maintenance.invoke({})
    away.rename(tmp_path)
    sender.found(devices, "vault")
    assert len(send(changesets, push, 201)["receipts"]) == BATCH


def json_of(line: str) -> Json:
    """Return a log line that is JSON; other lines are nothing."""
    try:
        return dict(json.loads(line))
    except ValueError:
        return {}


def test_instances_that_are_killed_lose_nothing_and_stop_nobody(
    tmp_path: Path, start: Start, sender: Sender, vaults: list[str]
) -> None:
    """They are killed at any step; the device sends again to another instance."""

    def push(number: int) -> Acknowledged:
        chance, instance = random.Random(number), start("changesets")
        told: Acknowledged = {}
        for index in range(max(KILLED_AT_PUSH) + 2):
            vault_id = vaults[number if index % 2 else 0]
            event = sender.push(vault_id, batch(sender, f"{number}.{index}"))
            if index in KILLED_AT_PUSH:
                Timer(chance.random() * LONGEST_PUSH_SECONDS, instance.kill).start()
            try:
                answer = send(instance, event, 201)
            except InstanceGone:
                instance = start("changesets")
                answer = send(instance, event, 200, 201)
            told.setdefault(vault_id, {}).update(seqs_of(answer))
        return told

    told: Acknowledged = {}
    for own in at_once(*(partial(push, number) for number in range(1, 4))):
        for vault_id, seqs in own.items():
            told.setdefault(vault_id, {}).update(seqs)
    check(tmp_path, sender, told)
