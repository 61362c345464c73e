"""Pushes beside retention that prunes a million changesets: how long they take before, during and after.

The relay is the embedded server. Retention is run by the server itself, by its timer, or by `sync-relay-server
maintain` beside it. Pushes go to the vault that is pruned and to others, in turn.
"""

import asyncio
import json
import shutil
import time
from collections.abc import Callable, Sequence
from hashlib import sha256
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from bench.household import Household
from bench.links import Link
from bench.percentiles import percentile
from bench.scale.filling import fill
from bench.scale.in_process import InProcess
from bench.scale.loops import Answers, Next, closed_loop, open_loop
from bench.server import MeasuredRelay
from bench.signed import Request
from relay_protocol.encoding import base64url

CHANGESETS, SIZE_BYTES = 1_000_000, 1_024
OTHERS, CONNECTIONS, RATE = 3, 4, 200
OPEN_CONNECTIONS = 64
BEFORE_SECONDS, AFTER_SECONDS, POLL_SECONDS, MOST_SECONDS = 10, 5, 0.25, 600
TIMER_SECONDS = 2
BLOB = b"sealed"


def prune(told: Callable[[str], None], changesets: int = CHANGESETS) -> dict[str, Any]:
    """Measure each way of running retention with each loop; return the figures of each."""
    runs = []
    with TemporaryDirectory() as name:
        filled, household = Path(name) / "filled", Household("")
        relay = InProcess(filled)
        household.host = "relay.example"
        relay.answer(household.found())
        fill(relay.log, household, changesets, SIZE_BYTES)
        relay.close()
        told(f"filled with {changesets:,}")
        for by in ("the server", "a command beside it"):
            for loop in ("closed", "open"):
                folder = Path(name) / "copy"
                shutil.copytree(filled, folder)
                runs.append({"by": by, "loop": loop} | _run(folder, household, by == "the server", loop, changesets))
                shutil.rmtree(folder)
                told(json.dumps({key: value for key, value in runs[-1].items() if key != "seconds"}))
    shape = {"changesets": changesets, "size_bytes": SIZE_BYTES, "connections": CONNECTIONS, "rate": RATE}
    return shape | {"runs": runs}


def _run(folder: Path, household: Household, by_server: bool, loop: str, changesets: int) -> dict[str, Any]:  # noqa: FBT001
    variables = {
        "RELAY_RATE_LIMIT": "off",
        "RELAY_CHANGESET_DAYS": "0",
        "RELAY_MAINTAIN_INTERVAL_SECONDS": str(TIMER_SECONDS if by_server else 10**6),
    }
    with MeasuredRelay(folder, **variables) as relay:
        household.host = f"127.0.0.1:{relay.port}"
        others = [Household(household.host) for _ in range(OTHERS)]
        _ask(household.host, *(each.found() for each in others))
        answers, times = asyncio.run(_drive(relay, household, others, loop, by_server, changesets))
        resident = relay.resident_mib()
    return _figures(answers, times) | {"resident_mib": round(resident, 1)}


async def _drive(
    relay: MeasuredRelay,
    household: Household,
    others: Sequence[Household],
    loop: str,
    by_server: bool,  # noqa: FBT001
    changesets: int,
) -> tuple[Answers, tuple[float, float, float]]:
    """Push all the while; return the answers, and when retention began, when it was through, and the end."""
    ended, senders = asyncio.Event(), cycle([household, *others])

    def pushes() -> bytes:
        return next(senders).push().as_bytes()

    if not by_server:
        await asyncio.to_thread(_cover, household, changesets)
    pushing = asyncio.create_task(_pushing(relay.port, pushes, loop, ended))
    began = time.perf_counter()
    await asyncio.sleep(BEFORE_SECONDS)
    if by_server:
        await asyncio.to_thread(_cover, household, changesets)
        await _floor_reaches(relay.port, household, 1)
    started = time.perf_counter() - began
    command = None if by_server else asyncio.create_task(asyncio.to_thread(relay.maintain))
    await _floor_reaches(relay.port, household, changesets)
    if command is not None:
        await command
    through = time.perf_counter() - began
    await asyncio.sleep(AFTER_SECONDS)
    ended.set()
    return await pushing, (started, through, time.perf_counter() - began)


async def _pushing(port: int, pushes: Next, loop: str, ended: asyncio.Event) -> Answers:
    if loop == "closed":
        return await closed_loop(port, pushes, CONNECTIONS, ended)
    return await open_loop(port, pushes, OPEN_CONNECTIONS, ended, RATE)


async def _floor_reaches(port: int, household: Household, seq: int) -> None:
    """Return once so many changesets are pruned. Raises TimeoutError."""
    link = await Link.to(port)
    async with asyncio.timeout(MOST_SECONDS):
        while json.loads(await link.ask(household.look().as_bytes()))["floor"]["seq"] < seq:  # noqa: ASYNC110 -- another process
            await asyncio.sleep(POLL_SECONDS)
    link.close()


def _cover(household: Household, seq: int) -> None:
    """Complete a snapshot that covers the log up to a seq, so that it may be pruned."""
    page = _ask(household.host, household.pull(seq - 1, 1))
    digest = base64url(sha256(BLOB).digest())
    body = {
        "sha256": digest,
        "size": len(BLOB),
        "key_id": "k",
        "schema_version": 1,
        "covers": {"seq": seq, "chain": page["changesets"][0]["chain"]},
    }
    announced = _ask(household.host, household.request("POST", f"{household.path}/snapshots", body))
    upload = announced["upload"]
    assert httpx.put(upload["url"], headers=upload["headers"], content=BLOB).is_success
    _ask(household.host, household.request("POST", f"{household.path}/snapshots/{digest}/complete"))


def _ask(host: str, *requests: Request) -> Any:  # noqa: ANN401 -- JSON
    """Send requests one by one; return the last one's answer."""
    with httpx.Client(base_url=f"http://{host}", timeout=60) as client:
        for request in requests:
            answer = client.request(
                request.method,
                request.path,
                params=dict(request.query) or None,
                headers=request.fields,
                content=request.body or None,
            )
            assert answer.is_success, answer.text
    return answer.json()


def _figures(answers: Answers, times: tuple[float, float, float]) -> dict[str, Any]:
    """Return percentiles of each phase, and for the picture those of each second."""
    started, through, end = times
    return {
        "retention_seconds": round(through - started, 1),
        "started_at_second": round(started, 1),
        "phases": prune_phases(answers, started, through, end),
        "seconds": [_spread(answers.between(second, second + 1), 1) for second in range(int(end))],
    }


def prune_phases(answers: Answers, started: float, through: float, end: float) -> dict[str, dict[str, float]]:
    """Return percentiles of each phase. A request is of the phase in which it was asked for, or due."""
    edges = {"before": (0.0, started), "during": (started, through), "after": (through, end)}
    return {name: _spread(answers.between(*edge), edge[1] - edge[0]) for name, edge in edges.items()}


def _spread(took_seconds: Sequence[float], seconds: float) -> dict[str, float]:
    """Return milliseconds, and how many were asked for in a second."""
    if not took_seconds:
        return {"per_second": 0.0}
    in_ms = [took * 1000 for took in took_seconds]
    named = {"p50_ms": percentile(in_ms, 50), "p99_ms": percentile(in_ms, 99), "max_ms": max(in_ms)}
    return {"per_second": round(len(in_ms) / seconds, 1)} | {name: round(value, 2) for name, value in named.items()}
