"""The emulator: a function has what its template gives it, answers calls that overlap, and its end is told."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.relays import BuiltRelays
from tools.emulator.built import Built
from tools.emulator.emulator import Emulator, EmulatorError
from tools.emulator.pool import FunctionPool

pytestmark = pytest.mark.as_built

APP = """
import os, time
def handler(event, context):
    if event.get("do") == "raise":
        raise LookupError("of the function's own")
    if event.get("do") == "die":
        os._exit(1)
    time.sleep(event.get("seconds", 0))
    return {"pid": os.getpid(), "variables": dict(os.environ)}
"""
TEMPLATE = {
    "Parameters": {"Stores": {"Default": "dynamodb"}, "Days": {"Default": 30}},
    "Conditions": {
        "OnDynamo": {"Fn::Equals": [{"Ref": "Stores"}, "dynamodb"]},
        "OnDisk": {"Fn::Not": [{"Condition": "OnDynamo"}]},
    },
    "Globals": {
        "Function": {
            "Handler": "app.handler",
            "MemorySize": 512,
            "Environment": {
                "Variables": {
                    "RELAY_METADATA": {"Fn::If": ["OnDynamo", "dynamodb", "sqlite"]},
                    "RELAY_LOG_TABLE": {"Fn::If": ["OnDynamo", {"Ref": "LogTable"}, {"Ref": "AWS::NoValue"}]},
                    "RELAY_DATA_DIR": {"Fn::If": ["OnDisk", "/mnt/relay", {"Ref": "AWS::NoValue"}]},
                    "RELAY_SERVICE_NAME": {"Fn::Sub": "relay of ${AWS::StackName}"},
                }
            },
        }
    },
    "Resources": {
        "OneFunction": {
            "Type": "AWS::Serverless::Function",
            "Properties": {
                "CodeUri": "OneFunction",
                "Environment": {"Variables": {"RELAY_CHANGESET_DAYS": {"Ref": "Days"}}},
            },
        }
    },
}
GIVEN = {"RELAY_LOG_TABLE": "table", "RELAY_BUCKET": "the template gives it to nobody", "HOME": "/root"}

Build = Callable[..., Built]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    (tmp_path / "OneFunction").mkdir()
    (tmp_path / "OneFunction" / "app.py").write_text(APP)
    (tmp_path / "template.yaml").write_text(yaml.safe_dump(TEMPLATE))
    return lambda **parameters: Built(tmp_path, **parameters)


def variables_of(built: Built, given: dict[str, str]) -> dict[str, str]:
    return built.variables(built.functions["one"], given)


def test_a_function_has_the_variables_that_its_template_gives_it_and_no_others(build: Build) -> None:
    assert variables_of(build(), GIVEN) == {
        "RELAY_METADATA": "dynamodb",
        "RELAY_LOG_TABLE": "table",
        "RELAY_SERVICE_NAME": "relay of sync-relay-here",
        "RELAY_CHANGESET_DAYS": "30",
    }
    assert variables_of(build(Stores="sqlite-efs", Days="7"), {}) == {
        "RELAY_METADATA": "sqlite",
        "RELAY_DATA_DIR": "/mnt/relay",
        "RELAY_SERVICE_NAME": "relay of sync-relay-here",
        "RELAY_CHANGESET_DAYS": "7",
    }


def test_what_only_a_deployment_knows_has_to_be_given(build: Build) -> None:
    with pytest.raises(KeyError, match="RELAY_LOG_TABLE"):
        variables_of(build(), {})
    with pytest.raises(KeyError, match="NoSuchParameter"):
        build(NoSuchParameter="1")


@pytest.fixture
def function(build: Build, built_relays: BuiltRelays) -> Iterator[FunctionPool]:
    assert built_relays, "the emulator is there"
    built = build()
    one = built.functions["one"]
    with closing(FunctionPool(lambda: Emulator(one, built.variables(one, GIVEN)), 2)) as pool:
        yield pool


def test_calls_that_overlap_go_to_two_instances_and_a_third_one_waits(function: FunctionPool) -> None:
    def call(_: int) -> Any:
        return function({"seconds": 0.5})["pid"]

    with ThreadPoolExecutor(3) as threads:
        pids = list(threads.map(call, range(3)))
    assert len(set(pids)) == 2
    assert function({})["pid"] in pids


def test_nothing_of_this_process_s_environment_gets_in(function: FunctionPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELAY_BUCKET", "of whoever runs the tests")
    variables = function({})["variables"]
    assert variables["RELAY_LOG_TABLE"] == "table"
    assert variables["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "512"
    assert not {"RELAY_BUCKET", "HOME"} & variables.keys()


@pytest.mark.parametrize("end", ["raise", "die"])
def test_a_call_that_fails_is_told_and_the_next_one_gets_a_new_instance(function: FunctionPool, end: str) -> None:
    before = function({})["pid"]
    with pytest.raises(EmulatorError):
        function({"do": end})
    assert function({})["pid"] != before


def test_what_ended_is_gone(build: Build, built_relays: BuiltRelays) -> None:
    assert built_relays, "the emulator is there"
    built = build()
    one = built.functions["one"]
    with closing(Emulator(one, built.variables(one, GIVEN))) as instance:
        pid = instance.invoke({})["pid"]
    give_up = time.monotonic() + 30
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < give_up, "the function's process outlives its instance"
        time.sleep(0.05)
    assert instance.init_ms is not None
    assert len(instance.request_ms) == 1
