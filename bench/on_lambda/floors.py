"""The floor of a start: a handler that does nothing but import the third-party modules that a route truly loads.

Which these are, the built function is asked: what it has imported after INIT, and after its first request. Our own
packages are not among them, nor is what the runtime's client has imported before; the standard library comes along as
far as third-party modules need it. The floor's handler imports in INIT what the function imports in INIT, and with its
first request what that loads. Of a second floor the handler also makes the clients of botocore that the route makes.
"""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import Any

from tools.emulator.built import BuiltFunction
from tools.emulator.emulator import RUNTIME, environment_of

_ASK = """
import gc, json, sys
import awslambdaric.bootstrap

own, roots, event = json.load(sys.stdin)

def loaded():
    modules = list(sys.modules.items())
    return [name for name, module in modules
            if (getattr(module, "__file__", None) or "").startswith(tuple(roots))
            and name.partition(".")[0] not in own and getattr(module.__spec__, "name", None) == name]

def clients():
    module = sys.modules.get("botocore.client")
    if module is None:
        return []
    gc.unfreeze()  # what is frozen, the next line would not tell
    made = [one for one in gc.get_objects() if issubclass(type(one), module.BaseClient)]
    return sorted({one.meta.service_model.service_name for one in made})

before = loaded()
import app
after_init, clients_after_init = loaded(), clients()
status = app.handler(event, None).get("statusCode")
after_first, clients_after_first = loaded(), clients()
print(json.dumps([status, before, after_init, clients_after_init, after_first, clients_after_first]))
"""
_OWN = ("app", "relay", "relay_protocol", "functions")
_CLIENTS = """\
from botocore.config import Config
from botocore.session import get_session
session = globals().get("session") or get_session()
clients = [session.create_client(name, endpoint_url="http://127.0.0.1:9", config=Config()) for name in {}]
"""


@dataclass(frozen=True)
class Needed:
    """Third-party modules in the order in which they are loaded, and clients: by INIT, and with the first request."""

    by_init: tuple[str, ...]
    by_first: tuple[str, ...]
    clients_by_init: tuple[str, ...]
    clients_by_first: tuple[str, ...]

    def is_as(self, other: "Needed") -> bool:
        """Whether both need the same, in whatever order."""
        mine, theirs = ([frozenset(names) for names in astuple(one)] for one in (self, other))
        return mine == theirs

    def without_clients(self) -> "Needed":
        """Return the imports alone."""
        return replace(self, clients_by_init=(), clients_by_first=())

    def handler(self) -> str:
        """Return the floor's module."""
        first = _imports(self.by_first) + _making(self.clients_by_first)
        lines = [*_imports(self.by_init), *_making(self.clients_by_init), "", "", "def handler(event, context):"]
        return "\n".join([*lines, *(f"    {line}" for line in first), '    return {"statusCode": 200}', ""])


def needed(
    function: BuiltFunction, variables: Mapping[str, str], event: Mapping[str, Any], status: int | None
) -> Needed:
    """Return what a function needs for an event that it answers with this status."""
    runtime = subprocess.run(
        [RUNTIME, "-c", "import botocore; print(botocore.__path__[0])"], capture_output=True, text=True, check=True
    ).stdout.strip()
    roots = [str(function.layer / "python"), str(Path(runtime).parent)]
    told = subprocess.run(
        [RUNTIME, "-c", _ASK],
        cwd=function.folder,
        env=environment_of(function, variables),
        input=json.dumps([_OWN, roots, event]),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    answered, before, after_init, clients_init, after_first, clients_first = json.loads(told.splitlines()[-1])
    assert answered == status
    return Needed(
        _not_in(before, after_init),
        _not_in([*before, *after_init], after_first),
        tuple(clients_init),
        _not_in(clients_init, clients_first),
    )


def floor(function: BuiltFunction, needs: Needed, folder: Path) -> BuiltFunction:
    """Return the floor's function: in this folder, with the layer of the other, compiled as the layer is."""
    folder.mkdir(parents=True)
    (folder / "app.py").write_text(needs.handler())
    command = ["-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", str(folder)]
    subprocess.run([str(RUNTIME), *command], check=True)
    return replace(function, folder=folder)


def _not_in(known: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name not in set(known))


def _imports(modules: Sequence[str]) -> list[str]:
    return [f"import {name}" for name in modules]


def _making(clients: Sequence[str]) -> list[str]:
    return _CLIENTS.format(list(clients)).splitlines() if clients else []
