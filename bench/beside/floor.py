"""What no relay can be quicker than, measured here in the same run: the disk, SQLite, the signature, HTTP."""

import os
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nacl.signing import SigningKey

from bench.beside.figures import Figure, figure_of
from bench.beside.kernel import cpu_seconds
from bench.beside.pace import closed_loop
from bench.beside.peers.port import TEXT_BYTES
from bench.beside.plan import Plan
from bench.beside.served import Served, free_port
from bench.beside.wire import HttpConnection, Sockets, http_request

PAGE_BYTES = 4096


@dataclass(frozen=True)
class Floor:
    """How often a second one process does something, and what CPU that takes."""

    what: str
    per_second: float
    cpu_ms_each: float
    is_of_a_push: bool = False
    """Whether each push needs one."""

    def as_json(self) -> dict[str, Any]:
        """Return it, rounded to four digits."""
        return {
            name: float(f"{value:.4g}") if isinstance(value, float) else value for name, value in asdict(self).items()
        }


def floors(folder: Path, plan: Plan) -> Iterator[Floor]:
    """Measure, with files in a folder of the disk that the servers keep their data on."""
    yield Floor("4 KiB written and fdatasync, one after the other", *syncing(folder, plan.floor_seconds))
    for rows in (1, plan.batch):
        name = f"SQLite, durable commit of {rows} row(s) of {TEXT_BYTES:,} bytes (WAL, synchronous=FULL)"
        yield _repeated(name, _commit(folder / f"{rows}.sqlite3", rows), plan.floor_seconds, is_of_a_push=rows == 1)
    key, message = SigningKey.generate(), bytes(400)
    signed, verify_key = key.sign(message).signature, key.verify_key
    name = "Ed25519 verification (libsodium by PyNaCl)"
    yield _repeated(name, lambda: verify_key.verify(message, signed), plan.floor_seconds, is_of_a_push=True)


def syncing(folder: Path, seconds: float) -> tuple[float, float]:
    """Return how often a second the disk takes a page for good, and the CPU of each in ms."""
    with (folder / "page").open("wb", buffering=0) as file:

        def write_and_sync() -> None:
            file.write(bytes(PAGE_BYTES))
            os.fdatasync(file.fileno())

        measured = _repeated("", write_and_sync, seconds)
        return measured.per_second, measured.cpu_ms_each


def bare_answers(folder: Path, plan: Plan) -> Iterator[Figure]:
    """Yield what servers do that read a push and answer a constant."""
    for kind, name in (("raw-asgi", "bare answer: uvicorn, raw ASGI"), ("asyncio", "bare answer: uvloop, httptools")):
        port = free_port()
        served = Served([sys.executable, "-m", "bench.beside.bare", kind, str(port)], port, folder / f"{kind}.log")
        try:
            for connections in (1, plan.connections):
                yield _bare_answer(name, served, connections, plan)
        finally:
            served.stop()


def _bare_answer(name: str, served: Served, connections: int, plan: Plan) -> Figure:
    request = http_request("POST", "/vaults", {"Host": f"127.0.0.1:{served.port}"}, bytes(TEXT_BYTES))
    links = [HttpConnection(served.port) for _ in range(connections)]
    closed_loop(Sockets(), links, [request] * 100, 1)
    server, own = cpu_seconds(served.processes), time.process_time()
    outcome = closed_loop(Sockets(), links, [request] * plan.crowd, plan.most_seconds)
    own_cpu, server_cpu = time.process_time() - own, cpu_seconds(served.processes) - server
    for link in links:
        link.close()
    work = f"1 KB, {connections} connection(s)"
    return figure_of(work, name, outcome, server_cpu=server_cpu, own_cpu=own_cpu)


def _commit(path: Path, rows: int) -> Callable[[], None]:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE log (seq INTEGER PRIMARY KEY, text)"
    )
    batch = [(bytes(TEXT_BYTES),)] * rows

    def commit() -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO log (text) VALUES (?)", batch)
        connection.execute("COMMIT")

    return commit


def _repeated(what: str, do: Callable[[], object], seconds: float, *, is_of_a_push: bool = False) -> Floor:
    began, cpu, done = time.perf_counter(), time.process_time(), 0
    while (taken := time.perf_counter() - began) < seconds:
        do()
        done += 1
    return Floor(what, done / taken, (time.process_time() - cpu) / done * 1e3, is_of_a_push)
