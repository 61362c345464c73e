"""Warm requests: what each takes of an instance that runs already, and the memory that it had at most.

Each round is a vault from its founding to its end, one request for each method of each route, then a second vault's
requests of the sizes that the bill is made of. Processor time is the kernel's, of the whole process, before and after
each call; durations are the emulator's report.
"""

import json
import time
from collections import defaultdict
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from typing import Any
from uuid import uuid4

from bench.on_lambda.accounting import spread
from bench.on_lambda.instances import Functions, Instance
from bench.on_lambda.requests import Call, Response, Vault, after, every_route
from relay_protocol.limits import Limits

LIMITS = Limits()
WARMED_ROUNDS = 3
"""Before anything counts: Python specialises byte code that runs often."""
MAINTAINED_ROUNDS = 4
"""One round in so many has retention run, which takes longer than all the rest."""
SMALL_BYTES = 8 * 1024
PUSHES_TO_A_PAGE = 5


@dataclass(frozen=True)
class _Taken:
    cpu_ms: float
    place: int
    """The call's among its instance's: its duration is told when that has ended."""


class Warm:
    """One instance of each function, and what each request took of it."""

    def __init__(self, functions: Functions) -> None:
        self._functions = functions
        self._stack = ExitStack()
        self._instances: dict[str, Instance] = {}
        self._calls: dict[str, int] = defaultdict(int)
        self._taken: dict[str, list[_Taken]] = defaultdict(list)
        self._about: dict[str, dict[str, Any]] = {}
        self._peaks: dict[str, dict[str, float]] = {}

    def measure(self, rounds: int, seconds: float) -> dict[str, Any]:
        """Return requests and memory by what they are. No round begins when the time is over."""
        give_up = time.monotonic() + seconds
        with self._stack:
            for group in self._functions.built.functions:
                self._instances[group] = self._stack.enter_context(closing(self._functions.start(group)))
            for number in range(-WARMED_ROUNDS, rounds):
                if number > 0 and time.monotonic() > give_up:
                    break
                if number == 0:
                    self._taken.clear()
                self._round(with_maintenance=number % MAINTAINED_ROUNDS == 0)
            self._note_memory("warm_mib")
            payloads = self._largest()
            self._note_memory("after_largest_mib")
        requests = {name: self._told(name) for name in self._taken}
        return {"requests": requests, "memory": self._peaks, "payloads": payloads}

    def _round(self, *, with_maintenance: bool) -> None:
        for call in every_route(int(time.time()), str(uuid4())):
            if with_maintenance or call.group != "maintenance":
                after(call, self._take(call))
        vault = Vault(_now)
        self._invoke(vault.found())
        for call in vault.by_size():
            self._take(call)

    def _take(self, call: Call) -> Response:
        instance = self._instances[call.group]
        before = instance.cpu_ms() if self._calls[call.group] else 0
        response = self._invoke(call)
        self._taken[call.name].append(_Taken(instance.cpu_ms() - before, self._calls[call.group] - 1))
        self._about[call.name] = {
            "function": call.group,
            "route": call.route,
            "request_bytes": _event_bytes(call.event),
            "response_bytes": _event_bytes(response),
            "response_body_bytes": _body_bytes(response),
        }
        return response

    def _invoke(self, call: Call) -> Response:
        response = self._instances[call.group].invoke(call.event)
        self._calls[call.group] += 1
        if call.group not in self._peaks:
            self._peaks[call.group] = {"first_mib": self._instances[call.group].peak_mib()}
        assert response.get("statusCode") == call.status, response
        return response

    def _note_memory(self, when: str) -> None:
        for group, instance in self._instances.items():
            self._peaks[group][when] = instance.peak_mib()

    def _largest(self) -> list[dict[str, Any]]:
        """Send the largest body that is taken, as many changes and as one, and pull the largest pages."""
        vault, body_bytes = Vault(_now), LIMITS.max_body_bytes
        self._invoke(vault.found())
        told = [
            self._payload(vault.push_filling("push, the largest body of 100 changes", LIMITS.max_batch, body_bytes)),
            self._payload(vault.push_filling("push, the largest body of one change", 1, body_bytes)),
            self._payload(vault.pull("pull, the largest page of large changes", 0, LIMITS.max_page)),
            self._payload(vault.pull("pull, the largest change", LIMITS.max_batch, 1)),
        ]
        many = Vault(_now)
        self._invoke(many.found())
        for _ in range(PUSHES_TO_A_PAGE):
            self._invoke(many.push("", LIMITS.max_batch, SMALL_BYTES))
        return [*told, self._payload(many.pull("pull, a page of 8 KB changes", 0, LIMITS.max_page))]

    def _payload(self, call: Call) -> dict[str, Any]:
        """Make a call; return how large it and its answer are, as Lambda takes them, and what it took."""
        instance = self._instances[call.group]
        before = instance.cpu_ms()
        response = self._invoke(call)
        return {
            "what": call.name,
            "cpu_ms": round(instance.cpu_ms() - before, 1),
            "request_bytes": _event_bytes(call.event),
            "request_body_bytes": _body_bytes(call.event),
            "response_bytes": _event_bytes(response),
            "response_body_bytes": _body_bytes(response),
        }

    def _told(self, name: str) -> dict[str, Any]:
        taken, about = self._taken[name], self._about[name]
        durations = self._instances[about["function"]].request_ms
        return {
            **about,
            "cpu_ms": asdict(spread(one.cpu_ms for one in taken)),
            "duration_ms": asdict(spread(durations[one.place] for one in taken)),
        }


def _event_bytes(message: Response) -> int:
    """Return the length of an event or a response as the runtime's client hands it on: JSON in ASCII."""
    return len(json.dumps(message))


def _body_bytes(message: Response) -> int:
    """Return the length of what the gateway takes off the wire, or sends on it."""
    body: str = message.get("body") or ""
    return len(body) * 3 // 4 - body[-2:].count("=") if message.get("isBase64Encoded") else len(body.encode())


def _now() -> int:
    return int(time.time())
