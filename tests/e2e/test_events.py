"""Every event of events/ is answered by the function that sam built, and there is one for each route."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from functools import partial

import httpx
import pytest

from relay.http.routes import ROUTES
from tests.e2e.relays import BuiltRelays
from tools.emulator.built import Built
from tools.emulator.emulator import Emulator
from tools.emulator.pool import FunctionPool
from tools.events.story import BLOB, examples

Functions = dict[str, FunctionPool]


@pytest.fixture
def functions(built_relays: BuiltRelays) -> Iterator[Functions]:
    """The built functions, on empty stores."""
    with ExitStack() as stack:
        stores, built = built_relays.stores(stack), Built(VaultCreation="open")
        yield {
            group: stack.enter_context(
                closing(FunctionPool(partial(Emulator, function, built.variables(function, stores.variables)), 1))
            )
            for group, function in built.functions.items()
        }


def upload(announced: dict[str, object]) -> None:
    """Do what a device does between announcing and completing a snapshot."""
    upload = json.loads(str(announced["body"]))["upload"]
    assert httpx.put(upload["url"], content=BLOB, headers=upload["headers"]).status_code == 200


@pytest.mark.as_built
def test_each_event_is_answered(functions: Functions) -> None:
    for example in examples(int(time.time())):
        response = functions[example.group](example.event)
        if example.status is None:
            assert response["vaults"] == 0, "the vault was erased"
            continue
        assert response["statusCode"] == example.status, (example.name, response["body"])
        if example.name.endswith("announce"):
            upload(response)


@pytest.mark.as_built
def test_an_event_that_is_old_is_refused_for_its_age_alone(functions: Functions) -> None:
    by_name = {example.name: example for example in examples(int(time.time()) - 3600)}
    response = functions["devices"](by_name["03-devices-register"].event)
    assert (response["statusCode"], json.loads(response["body"])["code"]) == (401, "signature_expired")


@pytest.mark.not_as_built("it reads files, and no relay")
def test_there_is_one_for_each_route_and_method() -> None:
    made = examples(0)
    shown = {(each.event["resource"], each.event["httpMethod"], each.group) for each in made if each.status}
    assert shown == {(route.resource, method, route.group) for route in ROUTES.values() for method in route.methods}


@pytest.mark.not_as_built("it reads files, and no relay")
def test_the_files_are_as_the_tool_makes_them() -> None:
    command = [sys.executable, "-m", "tools.events", "--check"]
    assert subprocess.run(command, check=False, capture_output=True, text=True).stderr == ""
