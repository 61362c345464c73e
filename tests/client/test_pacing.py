"""A peer that drips is given up, one that is slow is not: what counts is the whole exchange, not each wait."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpcore
import httpx
import pytest

from sync_relay_client import pacing
from sync_relay_client.pacing import SLOWEST_BYTES_PER_SECOND, keep_pace

TIMEOUT_SECONDS = 10.0


class Clock:
    """Time that passes only while something is waited for."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds


class Peer(httpcore.NetworkStream):
    """Gives `step` bytes, or takes what it is sent, each time after so many seconds."""

    def __init__(self, clock: Clock, seconds: float, step: int) -> None:
        self.clock, self.seconds, self.step = clock, seconds, step

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._wait(timeout, httpcore.ReadTimeout)
        return bytes(min(self.step, max_bytes))

    def write(self, _: bytes, timeout: float | None = None) -> None:
        self._wait(timeout, httpcore.WriteTimeout)

    def _wait(self, timeout: float | None, expired: type[Exception]) -> None:
        waits = self.seconds if timeout is None else min(self.seconds, timeout)
        self.clock.seconds += waits
        if waits < self.seconds:
            raise expired


class AsyncPeer(httpcore.AsyncNetworkStream):
    """The same, asynchronously."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        return self.peer.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        self.peer.write(buffer, timeout)


class Paced:
    """A paced connection to a peer, by one of the two implementations."""

    def __init__(self, peer: Peer, *, is_async: bool) -> None:
        self.clock = peer.clock
        self._stream: Any = pacing._AsyncStream(AsyncPeer(peer)) if is_async else pacing._Stream(peer)
        self._is_async = is_async

    def begin_body(self) -> None:
        """Send a request, and read a head."""
        self.write(b"GET")
        self.read()
        self._stream.pace.begin_body()

    def read(self, timeout: float | None = TIMEOUT_SECONDS, times: int = 1) -> None:
        for _ in range(times):
            self._run(self._stream.read(65536, timeout))

    def write(self, data: bytes) -> None:
        self._run(self._stream.write(data, TIMEOUT_SECONDS))

    def _run(self, outcome: Any) -> None:
        if self._is_async:
            asyncio.run(outcome)


Connect = Callable[[float, int], Paced]


@pytest.fixture(params=[False, True], ids=["blocking", "async"])
def connect(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Connect:
    """Connect to a peer that needs so many seconds for so many bytes."""
    clock = Clock()
    monkeypatch.setattr(pacing, "time", clock)
    return lambda seconds, step: Paced(Peer(clock, seconds, step), is_async=request.param)


def test_a_head_has_to_be_through_within_one_timeout(connect: Connect) -> None:
    paced = connect(TIMEOUT_SECONDS / 4, 60_000)
    paced.write(b"GET")
    with pytest.raises(httpcore.ReadTimeout):
        paced.read(times=5)
    assert paced.clock.seconds <= 2 * TIMEOUT_SECONDS


def test_a_body_may_take_as_long_as_it_takes_at_the_pace(connect: Connect) -> None:
    paced = connect(TIMEOUT_SECONDS / 2, int(SLOWEST_BYTES_PER_SECOND * TIMEOUT_SECONDS / 2))
    paced.begin_body()
    paced.read(times=100)
    assert paced.clock.seconds > 10 * TIMEOUT_SECONDS


def test_a_body_that_drips_is_given_up(connect: Connect) -> None:
    paced = connect(TIMEOUT_SECONDS / 4, 1)
    paced.begin_body()
    with pytest.raises(httpcore.ReadTimeout):
        paced.read(times=100)
    assert paced.clock.seconds <= 2 * TIMEOUT_SECONDS


def test_what_is_done_with_a_body_does_not_count(connect: Connect) -> None:
    """An app that waits, or a laptop that sleeps, is no slow relay."""
    paced = connect(0, 1)
    paced.begin_body()
    paced.read()
    paced.clock.seconds += 100 * TIMEOUT_SECONDS
    paced.read()


def test_a_peer_that_takes_little_is_given_up(connect: Connect) -> None:
    paced = connect(TIMEOUT_SECONDS * 4, 1)
    pieces = 100
    with pytest.raises(httpcore.WriteTimeout):
        paced.write(bytes(pieces * pacing._PIECE_BYTES))
    assert paced.clock.seconds <= 2 * TIMEOUT_SECONDS


def test_a_peer_that_takes_less_than_the_pace_is_given_up(connect: Connect) -> None:
    slow_seconds = 1.5 * pacing._PIECE_BYTES / SLOWEST_BYTES_PER_SECOND
    paced = connect(slow_seconds, 1)
    with pytest.raises(httpcore.WriteTimeout):
        paced._run(paced._stream.write(bytes(100 * pacing._PIECE_BYTES), 2 * slow_seconds))


def test_each_exchange_begins_anew(connect: Connect) -> None:
    paced = connect(TIMEOUT_SECONDS * 0.7, 1)
    for _ in range(5):
        paced.write(b"GET")
        paced.read()


def test_without_a_timeout_nothing_is_given_up(connect: Connect) -> None:
    connect(TIMEOUT_SECONDS * 10, 1).read(None)


@pytest.mark.parametrize("proxy", [None, "http://127.0.0.1:1"])
def test_connections_keep_pace_through_proxies_too(proxy: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    if proxy is not None:
        monkeypatch.setenv("HTTP_PROXY", proxy)
    with httpx.Client(verify=False) as client:
        for _ in range(2):
            keep_pace(client)
        transports = [client._transport, *(one for one in client._mounts.values() if one is not None)]
        assert len(transports) == (1 if proxy is None else 2)
        for transport in transports:
            assert isinstance(transport, httpx.HTTPTransport)
            backend = transport._pool._network_backend
            assert isinstance(backend, pacing._Backend)
            assert not isinstance(backend._inner, pacing._Backend)
