"""Counts a tree's instructions, measure by measure, under valgrind's callgrind."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Timer

from bench.guard.measures import VARIABLES, Measure
from bench.links import ask_all

WORKER = Path(__file__).with_name("worker.py")
MARK = "getppid"
FORCED = frozenset({"fsync", "fdatasync"})
LIMIT_SECONDS = 600
"""Of one process. It takes some 30 s."""


@dataclass(frozen=True)
class Count:
    """What a request took, by the mean of those measured."""

    instructions: float
    forced_writes: float


Counts = dict[str, Count]
"""By the name of what was measured."""


def count_all(tree: Path, measures: Sequence[Measure]) -> Counts:
    """Count what a tree's handlers and its embedded server execute. Raises RuntimeError where one fails."""
    compiling = [sys.executable, "-m", "compileall", "-q", "layers/relay", "functions", "local"]
    subprocess.run(compiling, cwd=tree, check=True)
    with TemporaryDirectory() as data:
        counts = count_in_handlers(tree, Path(data), measures)
    return counts | _in_server(tree, [each for each in measures if each.is_answered])


def count_in_handlers(tree: Path, data: Path, measures: Sequence[Measure]) -> Counts:
    """Count what a tree's handlers execute, on the stores in a folder. Raises RuntimeError where one fails."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        events = folder / "events.json"
        events.write_text(json.dumps([measure.as_events() for measure in measures]))
        with _worker(tree, folder, data, "handlers", str(events)) as worker:
            worker.communicate()
        if worker.returncode:
            raise RuntimeError(f"the handlers ended with {worker.returncode}:\n{(folder / 'errors').read_text()}")
        return _by_measure("handler", measures, folder)


def _in_server(tree: Path, measures: Sequence[Measure]) -> Counts:
    with TemporaryDirectory() as name:
        folder = Path(name)
        with _worker(tree, folder, folder / "data", "server") as worker:
            port = int(_line(worker, r"http://\S+:(\d+)"))
            for measure in measures:
                for requests in (measure.before, measure.measured):
                    _mark(worker)
                    asyncio.run(ask_all(port, [one.as_bytes() for one in requests], 1))
            _mark(worker)
        return _by_measure("server", measures, folder)


@contextmanager
def _worker(tree: Path, folder: Path, data: Path, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """Start the process that is counted; nothing of this one's environment reaches it. It is ended after a while.

    Profiles go into `folder`, the relay's stores are in `data`.
    """
    callgrind = ["--tool=callgrind", f"--dump-before={MARK}", "--dump-line=no", f"--callgrind-out-file={folder}/out"]
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{tree}:{tree / 'layers/relay'}",
        "PYTHONHASHSEED": "0",
        "RELAY_DATA_DIR": str(data),
        "RELAY_PORT": "0",
        **VARIABLES,
    }
    command = ["valgrind", "-q", *callgrind, sys.executable, "-P", str(WORKER), *arguments]
    with (
        (folder / "errors").open("w") as errors,
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True) as worker,
    ):
        timer = Timer(LIMIT_SECONDS, worker.kill)
        timer.start()
        try:
            yield worker
        finally:
            timer.cancel()
            worker.kill()


def _mark(worker: "subprocess.Popen[str]") -> None:
    worker.send_signal(signal.SIGUSR1)
    _line(worker, "(marked)")


def _line(worker: "subprocess.Popen[str]", pattern: str) -> str:
    """Read what it writes up to a line; return what of it is in parentheses."""
    assert worker.stdout is not None
    for line in worker.stdout:
        if found := re.search(pattern, line):
            return found[1]
    raise RuntimeError(f"the server ended with {worker.wait()}")


def _by_measure(where: str, measures: Sequence[Measure], folder: Path) -> Counts:
    """Pick out the dumps of what is measured: each mark makes two, and each measure takes two marks."""
    counts = {}
    for number, measure in enumerate(measures):
        dump = folder / f"out.{4 * number + 5}"
        instructions, forced_writes = read_dump(dump.read_text(errors="replace"))
        requests = len(measure.measured)
        counts[f"{where}: {measure.name}"] = Count(instructions / requests, forced_writes / requests)
    return counts


def read_dump(text: str) -> tuple[int, int]:
    """Return a callgrind profile's instructions, and how often a write was forced to the disk.

    A function's name stands once, behind its number in parentheses; `calls=` follows the `cfn=` of the callee.
    """
    instructions, forced, names, callee = None, 0, {}, ""
    for line in text.splitlines():
        if found := re.match(r"(c?)fn=\((\d+)\)(?: (\S+))?", line):
            is_callee, number, name = found.groups()
            if name:
                names[number] = name
            callee = names[number] if is_callee else callee
        elif line.startswith("calls=") and callee in FORCED:
            forced += int(line.removeprefix("calls=").split()[0])
        elif line.startswith("totals:"):
            instructions = int(line.split()[1])
    if instructions is None:
        raise ValueError("no whole profile")
    return instructions, forced
