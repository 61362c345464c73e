"""Instances of the functions, each a process of its own, and devices that send to them straight, without a server."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Protocol

from tests.http.device import Device, Json, uuid_of
from tests.http.events import Draft, Event
from tests.http.world import encode
from tools.emulator.built import Built
from tools.emulator.emulator import Emulator, EmulatorError
from tools.processes import descendants_of

ROOT = Path(__file__).parents[2]
END_SECONDS = 30
PATIENCE_SECONDS = 120
"""For a store that is busy: a client comes back, and so do these."""


class InstanceGone(Exception):
    """The instance was killed, or ended."""


class FunctionFailed(Exception):
    """The function raised."""


class Instance(Protocol):
    """An instance of a function. One call at a time."""

    def invoke(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return the handler's response. Raises InstanceGone or FunctionFailed."""

    def lines(self) -> list[str]:
        """Return what it has logged."""

    def kill(self) -> None:
        """End it as Lambda ends one that has run out of time or memory: at any step."""

    def close(self) -> None:
        """End it."""


class HandlerProcess:
    """A process of this very Python that calls a function's handler."""

    def __init__(self, group: str, variables: Mapping[str, str]) -> None:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("RELAY_", "AWS_"))}
        self._log = TemporaryFile("a+")  # noqa: SIM115 -- until `close`
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.function_process", group],
            cwd=ROOT,
            env=inherited | dict(variables),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )

    def lines(self) -> list[str]:
        self._log.seek(0)
        return self._log.readlines()

    def invoke(self, event: Mapping[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(event) + "\n")
            self._process.stdin.flush()
            response: dict[str, Any] = json.loads(self._process.stdout.readline())
        except (OSError, ValueError):
            raise InstanceGone from None
        if "errorType" in response:
            raise FunctionFailed(response["errorType"])
        return response

    def kill(self) -> None:
        self._process.kill()

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()
        self._log.close()


class EmulatedFunction:
    """A function as `sam build` made it, with its template's variables for EFS, under the runtime's emulator."""

    def __init__(self, group: str, variables: Mapping[str, str]) -> None:
        built = Built(MetadataStore="sqlite-efs", VaultCreation="open")
        function = built.functions[group]
        self._emulator = Emulator(function, built.variables(function, {**variables, "MOUNTED_BY": "this machine"}))

    def invoke(self, event: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return self._emulator.invoke(event)
        except EmulatorError as error:
            raise InstanceGone from error

    def lines(self) -> list[str]:
        return self._emulator.lines

    def kill(self) -> None:
        for process in descendants_of(self._emulator._process.pid):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)

    def close(self) -> None:
        self._emulator.close()


class Sender:
    """A device that sends its requests to instances; it comes back while the store is busy."""

    def __init__(self, device: Device) -> None:
        self.device = device

    def event(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Event:
        raw = b"" if body is None else encode(body)
        fields = {"content-type": "application/json"} if raw else {}
        return Draft(
            method, path, self.device.key, int(time.time()), headers=fields | dict(headers or {}), body=raw
        ).event()

    def push(self, vault_id: str, changesets: list[Json]) -> Event:
        return self.event("POST", f"/vaults/{vault_id}/changesets", {"changesets": changesets})

    def found(self, instance: Instance, name: str) -> str:
        """Found the vault of this name; return its id."""
        vault_id = uuid_of(name)
        body = {"vault_id": vault_id, "public_key": self.device.public_key}
        send(instance, self.event("POST", "/devices", body), 201)
        return vault_id


def send(instance: Instance, event: Event, *statuses: int) -> Json:
    """Return the body of the answer, whose status has to be one of these."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    while (answer := instance.invoke(event))["statusCode"] == 503:
        assert time.monotonic() < give_up, "the store stays busy"
    assert answer["statusCode"] in statuses, answer
    body: Json = json.loads(answer["body"] or "null")
    return body
