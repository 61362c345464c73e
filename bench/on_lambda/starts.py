"""Cold starts: each route's first request to a new instance, beside the floors of its imports.

A round starts each route's function once and each floor once, so that what else the machine does meets all alike.
Requests that change something come from a vault of their own, others from one that all rounds share.
"""

import time
from collections import defaultdict
from contextlib import ExitStack, closing
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

from bench.on_lambda.accounting import spread
from bench.on_lambda.floors import Needed, floor, needed
from bench.on_lambda.instances import Functions, Instance, Started
from bench.on_lambda.requests import Call, after, every_route
from tools.emulator.built import BuiltFunction

BARE = "a handler that does nothing"
_CHANGING = ("POST", "DELETE")
_FIRST_TO_END = "revoke a device"
_NOTHING = Needed((), (), (), ())


class Starts:
    """Starts functions and floors, in rounds, as often as there is time for."""

    def __init__(self, functions: Functions, folder: Path) -> None:
        self._functions = functions
        self._taken: dict[str, list[Started]] = defaultdict(list)
        self._floor_of: dict[str, dict[str, str]] = {}
        self._floors: dict[str, tuple[BuiltFunction, Needed]] = {}
        self._folder = folder

    def measure(self, rounds: int, seconds: float) -> dict[str, Any]:
        """Return what starts took, by route and by floor; no round begins when the time is over."""
        give_up = time.monotonic() + seconds
        with _Warm(self._functions) as warm:
            self._find_floors(warm)
            warm.share(str(uuid4()))
            for number in range(rounds):
                if number and time.monotonic() > give_up:
                    break
                self._start_all(warm)
                for name, (function, _) in self._floors.items():
                    self._taken[name].append(self._functions.measure(function, {}, {}, 200))
        return {
            "routes": {name: self._told(name) | self._floor_of[name] for name in self._floor_of},
            "floors": {
                name: self._told(name) | {"modules": _count(needs)} for name, (_, needs) in self._floors.items()
            },
        }

    def _start_all(self, warm: "_Warm") -> None:
        for name in self._floor_of:
            vault_id = str(uuid4())
            call = _fresh(vault_id, name)
            if call.route.startswith(_CHANGING):
                warm.play_until(vault_id, name)
            else:
                call = _fresh(warm.shared_id, name)
            self._taken[name].append(self._functions.measure_start(call.group, call.event, call.status))

    def _find_floors(self, warm: "_Warm") -> None:
        vault_id = str(uuid4())
        self._add(BARE, self._functions.function("vaults"), _NOTHING)
        for call in every_route(int(time.time()), vault_id):
            function, variables = self._functions.function(call.group), self._functions.variables(call.group)
            needs = needed(function, variables, call.event, call.status)
            if call.name == "announce a snapshot":
                after(call, warm.invoke(call))
            self._floor_of[call.name] = {
                "function": call.group,
                "route": call.route,
                "imports": self._named(function, needs.without_clients()),
                "imports_and_clients": self._named(function, needs),
            }

    def _named(self, function: BuiltFunction, needs: Needed) -> str:
        """Return the name of a floor: routes that need the same share one."""
        for name, (_, known) in self._floors.items():
            if known.is_as(needs):
                return name
        clients = [*needs.clients_by_init, *needs.clients_by_first]
        modules = len(needs.by_init) + len(needs.by_first)
        name = f"{modules} modules" + "".join(f", {client}" for client in clients)
        assert name not in self._floors
        return self._add(name, function, needs)

    def _add(self, name: str, function: BuiltFunction, needs: Needed) -> str:
        self._floors[name] = floor(function, needs, self._folder / str(len(self._floors))), needs
        return name

    def _told(self, name: str) -> dict[str, Any]:
        rows = [asdict(one) for one in self._taken[name]]
        told = {figure: asdict(spread(row[figure] for row in rows)) for figure in rows[0]}
        return {**told, "sum_ms": asdict(spread(row["init_ms"] + row["first_ms"] for row in rows))}


class _Warm:
    """Instances that bring vaults to where a measured request is answered."""

    def __init__(self, functions: Functions) -> None:
        self._functions = functions
        self._instances: dict[str, Instance] = {}
        self._stack = ExitStack()
        self.shared_id = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def invoke(self, call: Call) -> dict[str, Any]:
        if call.group not in self._instances:
            self._instances[call.group] = self._stack.enter_context(closing(self._functions.start(call.group)))
        return self._instances[call.group].invoke(call.event)

    def share(self, vault_id: str) -> None:
        """Bring a vault to where all requests that change nothing are answered."""
        self.shared_id = vault_id
        self.play_until(vault_id, _FIRST_TO_END)

    def play_until(self, vault_id: str, name: str) -> None:
        """Make the requests before this one that change something."""
        for call in every_route(int(time.time()), vault_id):
            if call.name == name:
                return
            if call.route.startswith(_CHANGING):
                response = self.invoke(call)
                assert response["statusCode"] == call.status
                after(call, response)


def _fresh(vault_id: str, name: str) -> Call:
    """Return a request, signed now."""
    return next(call for call in every_route(int(time.time()), vault_id) if call.name == name)


def _count(needs: Needed) -> int:
    return len(needs.by_init) + len(needs.by_first)
