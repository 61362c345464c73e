"""Run the embedded relay, load it over loopback from another process, and print a table of figures.

The server's CPU time is the kernel's own accounting of its process; requests are signed before the clock starts, so
that the generator's cost is not the server's. Every loop is bounded in count.
"""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

from bench.load import Device, Session, run_closed_loop
from bench.server import MeasuredRelay

KIB = 1024


def main() -> None:
    """Parse the arguments and measure."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--pushes", type=int, default=100_000, help="pushes after which memory is read again")
    parser.add_argument("--sample", type=int, default=3_000, help="requests per timed figure")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, MeasuredRelay(Path(folder), RELAY_RATE_LIMIT="off") as relay:
        for name, figure in _measure(relay, arguments.sample, arguments.pushes):
            print(f"{name:<52} {figure}", flush=True)


def _measure(relay: MeasuredRelay, sample: int, pushes: int) -> list[tuple[str, str]]:
    figures = [("resident memory at start", f"{relay.resident_mib():.1f} MiB")]
    one = Session.found(relay.port, Device())
    for connections in (1, 20):
        requests = [one.push() for _ in range(sample)]
        seconds, cpu_seconds = _timed(relay, requests, connections)
        figures += [
            (f"1 KB push, {connections} connection(s), one vault: pushes/s", f"{sample / seconds:,.0f}"),
            (f"1 KB push, {connections} connection(s): server CPU each", f"{cpu_seconds / sample * 1e3:.3f} ms"),
        ]
    several = [Session.found(relay.port, Device()) for _ in range(20)]
    requests = [several[index % 20].push() for index in range(sample)]
    seconds, cpu_seconds = _timed(relay, requests, 20)
    figures.append(("1 KB push, 20 connections, 20 vaults: pushes/s", f"{sample / seconds:,.0f}"))
    requests = [one.pull(since=(100 * index) % sample) for index in range(sample)]
    seconds, cpu_seconds = _timed(relay, requests, 1)
    figures += [
        ("pull of 100, 1 connection: pulls/s", f"{sample / seconds:,.0f}"),
        ("pull of 100: server CPU each", f"{cpu_seconds / sample * 1e3:.3f} ms"),
    ]
    done = 3 * sample
    while done < pushes:
        _timed(relay, [one.push() for _ in range(min(10_000, pushes - done))], 20)
        done += 10_000
    figures += [
        (f"resident memory after {pushes:,} pushes", f"{relay.resident_mib():.1f} MiB"),
        ("database bytes per 1 KB changeset", f"{relay.database_bytes() / pushes:,.0f}"),
        ("of which the changeset's own JSON text", f"{one.text_bytes:,}"),
    ]
    return figures


def _timed(relay: MeasuredRelay, requests: list[bytes], connections: int) -> tuple[float, float]:
    cpu_before, started = relay.cpu_seconds(), time.perf_counter()
    asyncio.run(run_closed_loop(relay.port, requests, connections))
    return time.perf_counter() - started, relay.cpu_seconds() - cpu_before


if __name__ == "__main__":
    main()
