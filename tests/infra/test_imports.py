"""What each function imports to answer an event: what it needs, and no more. The rest would slow its start."""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from tools.emulator.built import Built
from tools.emulator.emulator import RUNTIME, environment_of
from tools.events.story import examples
from tools.stand_ins.stores import Stores

HANDLE = """
import json, sys, app
answer = app.handler(json.load(sys.stdin), None)
print(json.dumps([answer.get("statusCode"), sorted(sys.modules)]))
"""


class Functions:
    """The built functions, each call in a process of its own with the runtime's Python, on stand-ins for AWS."""

    def __init__(self, built: Built, stores: Stores) -> None:
        self._built = built
        self._stores = stores
        self.modules_after_push: set[str] = set()
        self._events = {one.name.partition("-")[2]: one for one in examples(int(time.time()))}

    def modules_after(self, name: str) -> set[str]:
        """Return which modules a function has imported once it has answered an example."""
        example = self._events[name]
        function = self._built.functions[example.group]
        environment = environment_of(function, self._built.variables(function, self._stores.variables))
        told = subprocess.run(
            [RUNTIME, "-c", HANDLE],
            cwd=function.folder,
            env=environment,
            input=json.dumps(example.event),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout
        status, modules = json.loads(told.splitlines()[-1])
        assert status == example.status
        return set(modules)


@pytest.fixture(scope="module")
def functions(built: Built, dynamodb_url: str, s3_url: str) -> Iterator[Functions]:
    with closing(Stores(dynamodb_url, s3_url)) as stores:
        functions = Functions(built, stores)
        for name in ("devices-register", "devices-register-second"):
            functions.modules_after(name)
        functions.modules_after_push = functions.modules_after("changesets-push")
        yield functions


NEVER = {
    "sqlite3",
    "boto3",
    "s3transfer",
    "moto",
    "uvicorn",
    "starlette",
    "local",
    "aws_lambda_powertools.event_handler",
}
STORES = {f"relay.adapters.{name}" for name in ("sqlite", "filesystem", "memory")}
GROUPS = {f"relay.http.{group}" for group in ("changesets", "devices", "snapshots", "vaults")}


@pytest.mark.parametrize(
    ("name", "not_needed"),
    [
        ("changesets-pull", {"pydantic", *GROUPS - {"relay.http.changesets"}}),
        ("devices-list", {"pydantic", "relay.core.push", *GROUPS - {"relay.http.devices"}}),
        ("snapshots-list", {"pydantic", "relay.core.push", *GROUPS - {"relay.http.snapshots"}}),
        ("vaults-show", {"pydantic", "relay.core.push", *GROUPS - {"relay.http.vaults"}}),
        ("maintenance", {"pydantic", "relay.core.push", "relay.http.gateway", *GROUPS}),
    ],
)
def test_a_function_imports_what_it_needs(functions: Functions, name: str, not_needed: set[str]) -> None:
    modules = functions.modules_after(name)
    assert "relay.adapters.dynamodb" in modules
    assert modules & (NEVER | STORES | not_needed) == set()


def test_a_push_is_parsed_by_pydantic_and_no_more(functions: Functions) -> None:
    assert "pydantic" in functions.modules_after_push
    assert functions.modules_after_push & (NEVER | STORES) == set()
