"""What a server does for durability, as strace sees it: syncs per push, and whether they come before the answer."""

import re
import shutil
import sys
import time
from collections.abc import Sequence
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
TRACE_SECONDS = 60


Span = tuple[float, float]
"""When something began and ended, in seconds since 1970."""


@dataclass(frozen=True)
class Durability:
    """Of pushes of one changeset each."""

    pushes: int
    syncs_per_push: float
    """While there is one push at a time."""
    synced_before_answer: float
    """The share of pushes during which a sync began and ended: what is synced later is not durable when told so."""
    syncs_per_push_together: float
    """While many are pushed at once: fewer, where they share one."""


def trace(peer: Peer, pushes: int, connections: int, folder: Path) -> Durability | None:
    """Start a server under strace and push to it; return None where there is no strace."""
    if shutil.which("strace") is None:
        print("strace is not there: nothing is told of durability", file=sys.stderr)
        return None
    log = folder.with_suffix(".strace")
    options = ("-f", "--seccomp-bpf", "-ttt", "-T", "-e", f"trace={','.join(CALLS)}", "-o", str(log), "--")
    served = peer.serve(folder, ("strace", *options))
    links = [peer.connect() for _ in range(connections)]
    try:
        vault = peer.found()
        closed_loop(Sockets(), links, vault.push(connections), TRACE_SECONDS)
        alone = [_span(links[:1], [request]) for request in vault.push(pushes)]
        together = _span(links, vault.push(pushes))
    finally:
        for link in links:
            link.close()
        served.stop()
    return durability(alone, together, pushes, log.read_text())


def durability(alone: Sequence[Span], together: Span, pushes_together: int, log: str) -> Durability:
    """Judge by when pushes were sent and answered, and by strace's log, whose clock is the same."""
    syncs = [_began_and_ended(line) for line in DONE.finditer(log)]
    each = [_within(span, syncs) for span in alone]
    return Durability(
        pushes=len(alone),
        syncs_per_push=_within((alone[0][0], alone[-1][1]), syncs) / len(alone),
        synced_before_answer=sum(count > 0 for count in each) / len(alone),
        syncs_per_push_together=_within(together, syncs) / pushes_together,
    )


def _within(span: Span, syncs: Sequence[Span]) -> int:
    return sum(span[0] <= began and ended <= span[1] for began, ended in syncs)


def _began_and_ended(line: re.Match[str]) -> Span:
    at, took = float(line["at"]), float(line["took"])
    return (at - took, at) if line["resumed"] else (at, at + took)


def _span(links: Sequence[Connection], requests: Sequence[bytes]) -> Span:
    sent = time.time()
    closed_loop(Sockets(), links, requests, TRACE_SECONDS)
    return sent, time.time()
