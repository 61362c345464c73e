"""Instances of functions under the runtime's emulator, and what each of them took."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.on_lambda.accounting import cpu_ms, last_descendant
from bench.server import peak_mib
from tools.emulator.built import Built, BuiltFunction
from tools.emulator.emulator import Emulator
from tools.stand_ins.aws import dynamodb_served, s3_served
from tools.stand_ins.stores import Stores

UNLIMITED = "1000000/60"
"""The limiter counts each request as ever, and refuses none."""
_INIT_CPU = "INIT took of the processor, ms: "
_HANDLER = f"""\
import time
from app import handler
print("{_INIT_CPU}", time.process_time() * 1000)
"""
"""A handler that tells what INIT took of the processor: interpreter, the runtime's client, and importing the module."""


@dataclass(frozen=True)
class Started:
    """A start: INIT and first request, in milliseconds by the emulator's report and of the processor, and memory."""

    init_ms: float
    first_ms: float
    init_cpu_ms: float
    cpu_ms: float
    peak_mib: float


class Instance(Emulator):
    """A function's instance, watched from outside."""

    def __init__(self, function: BuiltFunction, variables: Mapping[str, str]) -> None:
        self._runtime: int | None = None
        super().__init__(function, variables)

    def cpu_ms(self) -> float:
        """Return the processor time so far. INIT is done by the first call: before it, there is nothing to tell."""
        return cpu_ms(self._process_id())

    def peak_mib(self) -> float:
        """Return the most memory that was ever resident."""
        return peak_mib(self._process_id())

    def _process_id(self) -> int:
        if self._runtime is None:
            self._runtime = last_descendant(self.process_id)
        return self._runtime


class Functions:
    """The built functions, on stores that are stand-ins on this machine."""

    def __init__(self, built: Built, stores: Stores, handlers: Path) -> None:
        self.built = built
        self.stores = stores
        self._handlers = handlers
        (handlers / "measured.py").write_text(_HANDLER)

    def function(self, group: str) -> BuiltFunction:
        """Return the function of a group as it was built."""
        return self.built.functions[group]

    def variables(self, group: str) -> dict[str, str]:
        """Return a function's variables."""
        given = {**self.stores.variables, "RELAY_RATE_LIMIT": UNLIMITED}
        return self.built.variables(self.function(group), given)

    def start(self, group: str) -> Instance:
        """Start an instance."""
        return Instance(self.function(group), self.variables(group))

    def measure_start(self, group: str, event: Mapping[str, Any], status: int | None) -> Started:
        """Start an instance, and have it answer its first request."""
        return self.measure(self.function(group), self.variables(group), event, status)

    def measure(
        self, function: BuiltFunction, variables: Mapping[str, str], event: Mapping[str, Any], status: int | None
    ) -> Started:
        """Start an instance of any function, and have it answer its first request."""
        path = f"{function.layer / 'python'}:{function.folder}:{self._handlers}"
        told = {**variables, "PYTHONPATH": path}
        with closing(Instance(replace(function, handler="measured.handler"), told)) as instance:
            assert instance.invoke(event).get("statusCode") == status
            cpu, peak = instance.cpu_ms(), instance.peak_mib()
        assert instance.init_ms is not None
        (line,) = [line for line in instance.lines if line.startswith(_INIT_CPU)]
        return Started(instance.init_ms, instance.request_ms[0], float(line.split()[-1]), cpu, peak)


@contextmanager
def functions_served() -> Iterator[Functions]:
    """Run the stores that functions stand on; yield the functions."""
    with ExitStack() as stack:
        urls = stack.enter_context(dynamodb_served()), stack.enter_context(s3_served())
        stores = stack.enter_context(closing(Stores(*urls)))
        folder = Path(stack.enter_context(TemporaryDirectory()))
        built = Built(VaultCreation="open")
        for function in built.functions.values():  # not what another run left: what sam ships is not compiled
            shutil.rmtree(function.folder / "__pycache__", ignore_errors=True)
        yield Functions(built, stores, folder)
