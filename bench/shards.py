"""What concurrency the shards of a SQLite store allow, and what a request asks of the file system.

Processes, as instances of a function are, push changesets of 1 KB to one of many vaults, each at a time. On a local
disk; `--trip-ms` lets strace hold up each system call that on a network file system is a trip to the server, which is
what such a push's time is made of. What is measured then is that simulation, not EFS.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

TRIPS = ("fcntl", "fsync", "fdatasync", "openat", "unlink", "ftruncate", "pread64")
"""Writes are not among them: they are kept back until data is forced or a lock is let go. Nor is asking for a file's
state, which goes to the server once another client had the lock: `pread64`, that does too, stands for both."""
COUNTED = (*TRIPS, "pwrite64", "close", "stat", "lstat", "newfstatat", "fstat", "access")
COUNTED_CALLS = 200
JOURNALS = ("delete", "persist")
SHARDS = (1, 4, 16)

Worker = subprocess.Popen[str]


def main() -> None:
    """Parse the arguments and measure."""
    parser = argparse.ArgumentParser(prog="bench.shards", description=__doc__)
    parser.add_argument("--directory", type=Path, help="where to make the stores: a folder on the disk to measure")
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--pushes", type=int, default=400, help="of each process")
    parser.add_argument("--trip-ms", type=float, default=0, help="hold up each trip by so much")
    parser.add_argument("--calls", action="store_true", help="count the system calls of what a request is made of")
    arguments = parser.parse_args()
    if arguments.calls:
        _print_calls(arguments.directory)
    else:
        _print_rates(arguments.directory, arguments.processes, arguments.pushes, arguments.trip_ms)


def _print_rates(directory: Path | None, processes: int, pushes: int, trip_ms: float) -> None:
    delay = f"inject={','.join(TRIPS)}:delay_exit={round(trip_ms * 1000)}"
    options = ["-e", f"trace={','.join(TRIPS)}", "-e", delay]
    for journal in JOURNALS:
        for shards in SHARDS:
            with _workers(directory, processes, shards, journal, "push", pushes) as workers, ExitStack() as stack:
                if trip_ms:
                    for worker in workers:
                        stack.enter_context(_traced(worker, options))
                seconds, reports = _run(workers)
            rate = processes * pushes / seconds
            longest = max(report["longest_seconds"] for report in reports)
            refused = sum(report["refused"] for report in reports)
            print(f"{journal:8}{shards:>3} shards{rate:>8,.0f} pushes/s, longest {longest:.2f} s, {refused} refused")


def _print_calls(directory: Path | None) -> None:
    for journal in JOURNALS:
        for work in ("count", "signer", "push"):
            with (
                _workers(directory, 1, 16, journal, work, COUNTED_CALLS) as workers,
                _traced(workers[0], ["-c", "-e", f"trace={','.join(COUNTED)}"]) as summary,
            ):
                _run(workers)
                calls = _calls(summary)
            print(f"{journal:8}{work:8}", ", ".join(f"{name} {number:.1f}" for name, number in calls))


# ---------------------------------------------------------------- the processes


@contextmanager
def _workers(
    directory: Path | None, count: int, shards: int, journal: str, work: str, times: int
) -> Iterator[list[Worker]]:
    """Start processes that are ready to work on a store of their own; `_run` lets them."""
    with tempfile.TemporaryDirectory(dir=directory) as folder, ExitStack() as stack:
        command = [sys.executable, "-m", "bench.shard_worker", folder, str(shards), journal, work, str(times)]
        workers = []
        for seed in range(count):
            worker = subprocess.Popen([*command, str(seed)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            workers.append(stack.enter_context(worker))
            stack.callback(worker.kill)
            assert _output(worker).readline() == "up\n"  # one by one: the first makes the store
        yield workers


def _run(workers: Sequence[Worker]) -> tuple[float, list[dict[str, Any]]]:
    """Let all work; return the seconds until the last was done, and what they report."""
    started = time.perf_counter()
    for worker in workers:
        _go_on(worker)
    reports = [json.loads(_output(worker).readline()) for worker in workers]
    return time.perf_counter() - started, reports


@contextmanager
def _traced(worker: Worker, options: Sequence[str]) -> Iterator["_Trace"]:
    """Attach strace to a process that waits, until the end of the block."""
    with tempfile.NamedTemporaryFile("r") as output:
        command = ["strace", "-f", "-p", str(worker.pid), "-o", output.name, *options]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as tracer:
            assert tracer.stderr is not None
            assert "attached" in tracer.stderr.readline()
            trace = _Trace(tracer, output)
            yield trace
            trace.end()


class _Trace:
    """A strace that is attached."""

    def __init__(self, tracer: subprocess.Popen[str], output: IO[str]) -> None:
        self._tracer = tracer
        self._output = output

    def end(self) -> str:
        """Detach; return what it wrote."""
        self._tracer.terminate()
        self._tracer.wait()
        return self._output.read()


def _calls(trace: _Trace) -> list[tuple[str, float]]:
    """Return how often each system call was made, by call of the work."""
    lines = (line.split() for line in trace.end().splitlines())
    counts = {words[-1]: int(words[3]) for words in lines if len(words) >= 5 and re.fullmatch(r"\d+", words[3])}
    return [(name, counts[name] / COUNTED_CALLS) for name in COUNTED if name in counts]


def _output(worker: Worker) -> IO[str]:
    assert worker.stdout is not None
    return worker.stdout


def _go_on(worker: Worker) -> None:
    assert worker.stdin is not None
    worker.stdin.write("\n")
    worker.stdin.flush()


if __name__ == "__main__":
    main()
