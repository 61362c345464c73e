"""One instance of a function: the runtime interface emulator, and in it the runtime's client with the handler."""

import json
import platform
import re
import socket
import subprocess
import time
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Thread
from typing import Any

from tools.emulator.built import BUILT, BuiltFunction

ROOT = Path(__file__).parents[2]
RUNTIME = ROOT / ".lambda" / "bin" / "python"
"""The Lambda runtime's stand-in: its Python, its interface client, and the SDK it brings (requirements/runtime.in)."""
REGION = "eu-central-1"
INVOCATIONS = "/2015-03-31/functions/function/invocations"
START_SECONDS = 10
CALL_SECONDS = 60
END_SECONDS = 10

_OF_EMULATOR = re.compile(r"\S.{20,30} \[\w+\] \(|(?:START|END|REPORT) RequestId: ")
_REQUEST_MS = re.compile(r"INVOKE RTDONE\(.*duration: ([\d.]+)ms\)")
_INIT_MS = re.compile(r"INIT REPORT\(durationMs: ([\d.]+)\)")
_WHILE_STDIN_IS_OPEN = '"$@" & read -r _; kill $!; wait $!'


class EmulatorError(Exception):
    """The emulator did not start or broke down, or its function raised."""


class Emulator:
    """A function's instance, from its start until `close`. It takes one call at a time: two at once would crash it.

    It ends with this process, too, however that ends. `init_ms` is how long the function's INIT took, by the emulator's
    report; None before the first call, which has it done. `request_ms` are the times of its calls. `lines` are what the
    function wrote. All of them are whole after `close`.
    """

    def __init__(
        self, function: BuiltFunction, variables: Mapping[str, str], python_options: tuple[str, ...] = ()
    ) -> None:
        self.init_ms: float | None = None
        self.request_ms: list[float] = []
        self.lines: list[str] = []
        self._port, runtime_port = _free_ports()
        command = [str(_binary()), "--runtime-interface-emulator-address", f"127.0.0.1:{self._port}"]
        command += ["--runtime-api-address", f"127.0.0.1:{runtime_port}"]
        command += [str(RUNTIME), *python_options, "-m", "awslambdaric", function.handler]
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", _WHILE_STDIN_IS_OPEN, "sh", *command],
            cwd=function.folder,
            env=environment_of(function, variables),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()
        self._wait_until_it_listens()

    @property
    def process_id(self) -> int:
        """The shell's that waits; its child is the emulator, whose child is the runtime once the first call came."""
        return self._process.pid

    def invoke(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return the handler's response. Raises EmulatorError."""
        connection = HTTPConnection("127.0.0.1", self._port, timeout=CALL_SECONDS)
        try:
            connection.request("POST", INVOCATIONS, json.dumps(event))
            response: dict[str, Any] = json.loads(connection.getresponse().read())
        except (OSError, HTTPException, ValueError) as error:
            raise EmulatorError(f"the emulator gave no answer: {type(error).__name__}") from None
        finally:
            connection.close()
        if "errorType" in response:
            raise EmulatorError(f"the function raised {response['errorType']}")
        return response

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(END_SECONDS)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            found = _INIT_MS.search(line)
            if found:
                self.init_ms = float(found[1])
            found = _REQUEST_MS.search(line)
            if found:
                self.request_ms.append(float(found[1]))
            if not _OF_EMULATOR.match(line):
                self.lines.append(line)

    def _wait_until_it_listens(self) -> None:
        give_up = time.monotonic() + START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self._port)).close()
            except OSError:
                if self._process.poll() is None and time.monotonic() < give_up:
                    time.sleep(0.01)
                    continue
                self.close()
                raise EmulatorError("the emulator did not start") from None
            return


def environment_of(function: BuiltFunction, variables: Mapping[str, str]) -> dict[str, str]:
    """Return what a function finds in its environment: that of Lambda, and its own variables. Nothing is inherited."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "LAMBDA_TASK_ROOT": str(function.folder),
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mib),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "PYTHONPATH": str(function.layer / "python"),
        "PYTHONDONTWRITEBYTECODE": "1",  # Lambda's folders can't be written to
        **variables,
    }


def is_there() -> bool:
    """Whether this machine has all that it takes: the emulator, the runtime, and the folder that `sam build` made."""
    return _binary() is not None and RUNTIME.exists() and BUILT.exists()


def _binary() -> Path | None:
    machine = "arm64" if platform.machine() in {"aarch64", "arm64"} else "x86_64"
    return next(ROOT.glob(f".sam/lib/python3*/site-packages/samcli/local/rapid/aws-lambda-rie-{machine}"), None)


def _free_ports() -> tuple[int, int]:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        return one.getsockname()[1], other.getsockname()[1]
