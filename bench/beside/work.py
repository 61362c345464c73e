"""The work that every server is given, in the order in which it is done."""

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.beside.figures import Figure, figure_of
from bench.beside.kernel import MIB, cpu_seconds, disk_bytes, resident_mib
from bench.beside.pace import Conversation, Outcome, closed_loop, converse, open_loop
from bench.beside.peers.port import Peer, Vault
from bench.beside.plan import Plan
from bench.beside.served import Served
from bench.beside.wire import Connection, RefusedError, Sockets

WORLD = Sockets()
STRIDE = 7919
"""A prime: places that follow it are all over a log."""
LEAST_BYTES = 1_000
"""What a changeset takes in an answer at least: a pull that holds fewer is not the work."""


@dataclass
class Account:
    """What one server did, and what it took."""

    figures: list[Figure] = field(default_factory=list)
    resident_start_mib: float = 0.0
    resident_deep_mib: float = 0.0
    """After the deep vault, and before what is large."""
    resident_end_mib: float = 0.0
    disk_bytes_per_changeset: float = 0.0
    """Of what the deep vault's filling added to the disk."""


class Run:
    """One server at all of the work."""

    def __init__(self, peer: Peer, plan: Plan, folder: Path) -> None:
        self._peer, self._plan, self._folder = peer, plan, folder
        self.account = Account()

    def do(self) -> Account:
        """Start the server, do the work, stop it."""
        self._served = self._peer.serve(self._folder)
        try:
            time.sleep(1)  # until it is done with what it does once it listens
            self.account.resident_start_mib = resident_mib(self._served.processes)
            self._one_kilobyte()
            self._pulls_and_ingest()
            self._deep()
            self.account.resident_deep_mib = resident_mib(self._served.processes)
            self._large()
            self._snapshot()
            self.account.resident_end_mib = resident_mib(self._served.processes)
        finally:
            self._served.stop()
        return self.account

    def _one_kilobyte(self) -> None:
        plan, vault = self._plan, self._found()
        self._warm_up(vault.push(plan.warm_up))
        self._closed("push of 1 KB, 1 connection", vault.push(plan.alone), 1)
        for what, vaults in (
            ("one vault", [vault]),
            ("20 vaults", [self._found() for _ in range(plan.connections)]),
        ):
            name = f"push of 1 KB, {plan.connections} connections, {what}"
            rate = self._closed(name, _in_turn(vaults, plan.crowd), plan.connections).per_second
            count = int(plan.same_rate * plan.open_seconds)
            self._open(f"{name}, at {plan.same_rate:.0f}/s", _in_turn(vaults, count), plan.same_rate)
            for share in plan.shares:
                count = max(plan.connections, int(rate * share * plan.open_seconds))
                self._open(f"{name}, at {share:.0%}", _in_turn(vaults, count), rate * share)

    def _pulls_and_ingest(self) -> None:
        plan, vault = self._plan, self._peer.found()
        self._warm_up(self._peer.found().push(plan.batch, plan.batch))
        self._fill(vault, f"ingest of {plan.ingest:,} in batches of {plan.batch}", plan.ingest)
        one, many = (f"pull of {plan.batch}, {count}" for count in ("1 connection", f"{plan.connections} connections"))
        self._warm_up(self._pulls(vault, plan.warm_up))
        self._closed(one, self._pulls(vault, plan.alone), 1, least_bytes=plan.batch * LEAST_BYTES)
        pulls = self._pulls(vault, plan.alone)
        rate = self._closed(many, pulls, plan.connections, least_bytes=plan.batch * LEAST_BYTES).per_second
        for share in plan.shares:
            count = max(plan.connections, int(rate * share * plan.open_seconds))
            self._open(f"{many}, at {share:.0%}", self._pulls(vault, count), rate * share)
        self._conversations(f"fresh pull of {plan.ingest:,}", [vault.walk() for _ in range(plan.walks)], vault.length)

    def _deep(self) -> None:
        plan, vault = self._plan, self._peer.found()
        before = disk_bytes(self._folder)
        self._fill(vault, f"filling one vault to {plan.deep:,}, in batches of {plan.batch}", plan.deep)
        self.account.disk_bytes_per_changeset = (disk_bytes(self._folder) - before) / vault.length
        filled = vault.length
        pushed = self._closed(f"push of 1 KB, 1 connection, after {plan.deep:,}", vault.push(plan.alone), 1).requests
        vault.length = filled + pushed
        name = f"pull of {plan.batch}, 1 connection, of {plan.deep:,}"
        self._closed(name, self._pulls(vault, plan.alone), 1, least_bytes=plan.batch * LEAST_BYTES)

    def _fill(self, vault: Vault, work: str, changesets: int) -> None:
        """Push batches; leave the vault with as many as there was time for."""
        batches = vault.push(changesets // self._plan.batch, self._plan.batch)
        figure = self._closed(work, batches, 1, most_seconds=self._plan.fill_seconds, is_bulk=True)
        vault.length = figure.requests * self._plan.batch

    def _pulls(self, vault: Vault, count: int) -> list[bytes]:
        """Return pulls of a batch from all over a vault."""
        places = [index * STRIDE % (vault.length - self._plan.batch) for index in range(count)]
        return vault.pull(places, self._plan.batch)

    def _large(self) -> None:
        if self._cannot("large", "push of 1 MiB", "pull of 1 MiB"):
            return
        vault = self._peer.found()
        self._closed("push of 1 MiB", vault.push(self._plan.large, 1, MIB + 300), 1)
        places = range(self._plan.large - 1)
        self._closed("pull of 1 MiB", vault.pull(places, 1), 1, least_bytes=MIB)

    def _snapshot(self) -> None:
        size = self._plan.snapshot_bytes
        up, down = (f"snapshot of {size // 1_000_000} MB {way}" for way in ("up", "down"))
        if self._cannot("snapshot", up, down):
            return
        vault = self._peer.found()
        self._conversations(up, [vault.upload(os.urandom(size))], 1)
        self._conversations(down, [vault.download()], size)

    def _found(self) -> Vault:
        """Make a vault, and push to it once: a server may open a file then, which is no push's usual cost."""
        vault = self._peer.found()
        self._closed("first push", vault.push(1), 1, told=False)
        return vault

    def _warm_up(self, requests: Sequence[bytes]) -> None:
        self._closed("warm-up", requests, 1, most_seconds=self._plan.warm_seconds, told=False)

    def _cannot(self, key: str, *works: str) -> bool:
        reason = self._peer.facts.cannot.get(key)
        if reason is not None:
            self.account.figures += [Figure(work=work, relay=self._peer.facts.name, cannot=reason) for work in works]
        return reason is not None

    def _closed(
        self,
        work: str,
        requests: Sequence[bytes],
        connections: int,
        *,
        most_seconds: float | None = None,
        least_bytes: int = 0,
        is_bulk: bool = False,
        told: bool = True,
    ) -> Figure:
        """Measure a closed loop. Raises RefusedError where answers hold less than they have to."""
        with self._links(connections) as links:
            measured = Measured(self._served)
            outcome = closed_loop(WORLD, links, requests, most_seconds or self._plan.most_seconds)
            if outcome.received_bytes < least_bytes * len(outcome.latencies):
                raise RefusedError(f"{work}: {outcome.received_bytes} bytes in {len(outcome.latencies)} answers")
            figure = measured.figure(work, self._peer.facts.name, outcome)
            return self._tell(figure.as_bulk(len(requests)) if is_bulk else figure, told=told)

    def _open(self, work: str, requests: Sequence[bytes], rate: float) -> None:
        with self._links(self._plan.connections) as links:
            measured = Measured(self._served)
            outcome = open_loop(WORLD, links, requests, rate)
            self._tell(measured.figure(work, self._peer.facts.name, outcome, rate))

    def _conversations(self, work: str, conversations: Sequence[Conversation], carried: int) -> None:
        """Carry conversations one after the other; each is one request of the figure."""
        whole = Outcome(len(conversations))
        with self._links(1) as links:
            measured = Measured(self._served)
            for conversation in conversations:
                outcome = converse(WORLD, links[0], conversation)
                assert outcome.carried == carried, f"{outcome.carried} of {carried} were carried"
                whole.latencies.append(outcome.seconds)
                whole.seconds += outcome.seconds
            self._tell(measured.figure(work, self._peer.facts.name, whole).as_bulk(1))

    def _tell(self, figure: Figure, *, told: bool = True) -> Figure:
        if told:
            self.account.figures.append(figure)
            print(
                f"{figure.relay:<15} {figure.work:<52} {figure.per_second:>9.1f}/s  p50 {figure.p50_ms:8.2f}  "
                f"p99 {figure.p99_ms:8.2f} ms  CPU {figure.cpu_seconds_per_1000:8.3f} s per 1,000",
                file=sys.stderr,
                flush=True,
            )
        return figure

    @contextmanager
    def _links(self, connections: int) -> Iterator[list[Connection]]:
        links = [self._peer.connect() for _ in range(connections)]
        try:
            yield links
        finally:
            for link in links:
                link.close()


class Measured:
    """The CPU of a server and of this process from now on."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._server, self._own = cpu_seconds(served.processes), time.process_time()

    def figure(self, work: str, relay: str, outcome: Outcome, offered: float | None = None) -> Figure:
        """Return the figure of what was done since."""
        own_cpu = time.process_time() - self._own
        server_cpu = cpu_seconds(self._served.processes) - self._server
        return figure_of(work, relay, outcome, server_cpu=server_cpu, own_cpu=own_cpu, offered=offered)


def _in_turn(vaults: Sequence[Vault], count: int) -> list[bytes]:
    """Return pushes to vaults in turn."""
    each = [vault.push(-(-count // len(vaults))) for vault in vaults]
    return [request for turn in zip(*each, strict=True) for request in turn][:count]
