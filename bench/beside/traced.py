"""What a server does for durability, as strace sees it: syncs per push, and whether they come before the answer."""

import re
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from bench.beside.pace import closed_loop
from bench.beside.peers.port import Peer
from bench.beside.wire import Connection, Sockets

CALLS = ("fsync", "fdatasync", "sync_file_range", "msync", "syncfs", "sync")
CALL = "|".join(CALLS)
DONE = re.compile(
    rf"^\d+ +(?P<at>\d+\.\d+) (?P<resumed><\.\.\. )?(?:{CALL})(?: resumed>|\().* = 0 <(?P<took>\d+\.\d+)>$",
    re.MULTILINE,
)
"""A sync that is done: on a line of its own, with the time that it began, or resumed, with the time that it ended."""
WARM_UP = 10


@dataclass(frozen=True)
class Durability:
    """Of pushes of one changeset, one after the other."""

    pushes: int
    syncs_per_push: float
    synced_before_answer: float
    """The share of pushes during which a sync began and ended: what is synced later is not durable when told so."""


def trace(peer: Peer, pushes: int, folder: Path) -> Durability | None:
    """Start a server under strace and push to it; return None where there is no strace."""
    if shutil.which("strace") is None:
        return None
    log = folder.with_suffix(".strace")
    served = peer.serve(
        folder, ("strace", "-f", "--seccomp-bpf", "-ttt", "-T", "-e", f"trace={','.join(CALLS)}", "-o", str(log), "--")
    )
    try:
        link, vault = peer.connect(), peer.found()
        closed_loop(Sockets(), [link], vault.push(WARM_UP), 60)
        spans = [_span(link, request) for request in vault.push(pushes)]
        link.close()
    finally:
        served.stop()
    return durability(spans, log.read_text())


def durability(spans: list[tuple[float, float]], log: str) -> Durability:
    """Judge by when each push was sent and answered, and by strace's log; all in seconds of the same clock."""
    syncs = [_began_and_ended(line) for line in DONE.finditer(log)]
    each = [sum(sent <= began and ended <= answered for began, ended in syncs) for sent, answered in spans]
    all_told = sum(spans[0][0] <= began and ended <= spans[-1][1] for began, ended in syncs)
    return Durability(len(spans), all_told / len(spans), sum(count > 0 for count in each) / len(spans))


def _began_and_ended(line: re.Match[str]) -> tuple[float, float]:
    at, took = float(line["at"]), float(line["took"])
    return (at - took, at) if line["resumed"] else (at, at + took)


def _span(link: Connection, request: bytes) -> tuple[float, float]:
    sent = time.time()
    closed_loop(Sockets(), [link], [request], 60)
    return sent, time.time()
