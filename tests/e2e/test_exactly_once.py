"""Acknowledged changesets are there once, in order: when answers are lost, and when the relay is killed."""

import multiprocessing
import random
import time
from collections.abc import Sequence
from typing import Any

import httpx

from sync_relay_client import DeviceKey, Envelope, RelayClient, VaultKey, VaultSession
from sync_relay_client.errors import RelayUnreachable
from tests.e2e.conftest import Peer, StartRelay, change_of

WRITERS = 8
PUSHES_EACH = {"embedded": 125, "emulated": 25}
KILLS = 6


class LossyTransport(httpx.HTTPTransport):
    """Loses one answer in four, after the relay has done the work."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._random = random.Random(seed)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = super().handle_request(request)
        if self._random.random() < 0.25:
            response.read()
            raise httpx.ReadError("the answer was lost")
        return response


def push_many(
    url: str, seed: bytes, vault_id: str, epoch: str, vault_key: bytes, number: int, pushes: int
) -> list[int]:
    """Push one by one from a process of its own, each until an answer comes; return the seqs answered."""
    key = DeviceKey.from_seed(seed)
    session = VaultSession.found(key, vault_id, epoch, VaultKey(vault_key))
    seqs = []
    with RelayClient(url, key, transport=LossyTransport(number)) as client:
        for index in range(pushes):
            envelope = session.seal(change_of(f"{number}:{index}".encode()), 1)
            seqs.append(push_until_answered(client, session, [envelope])[0])
    return seqs


def push_until_answered(client: RelayClient, session: VaultSession, envelopes: Sequence[Envelope]) -> list[int]:
    while True:
        try:
            pushed = client.vault(session.vault_id, session.epoch).push(envelopes)
        except RelayUnreachable:
            continue
        return [receipt.seq for receipt in pushed.receipts]


def test_eight_processes_that_lose_answers_write_each_change_once(start_relay: StartRelay, relay_kind: str) -> None:
    pushes = PUSHES_EACH[relay_kind]
    founder = Peer.found(start_relay(RELAY_RATE_LIMIT="off").url)
    peers = [founder, *(founder.invite(int(time.time())) for _ in range(WRITERS - 1))]
    session = founder.session
    before = session.head.seq
    arguments: list[tuple[Any, ...]] = [
        (founder.url, bytes(peer.session.device.signing_key), session.vault_id, session.epoch, key, number, pushes)
        for number, peer in enumerate(peers)
        for key in [session.keys[0].secret]
    ]
    with multiprocessing.get_context("spawn").Pool(WRITERS) as pool:
        answered = pool.starmap(push_many, arguments)
    founder.pull(limit=500)
    expected = {f"{number}:{index}".encode() for number in range(WRITERS) for index in range(pushes)}
    assert len(founder.applied) == len(expected) == WRITERS * pushes
    assert set(founder.applied) == expected
    for number, seqs in enumerate(answered):
        assert [founder.applied[seq - before - 1] for seq in seqs] == [
            f"{number}:{index}".encode() for index in range(pushes)
        ]


def test_what_was_acknowledged_outlives_kills(start_relay: StartRelay) -> None:
    relay = start_relay(RELAY_RATE_LIMIT="off")
    laptop = Peer.found(relay.url)
    chaos, acknowledged, sent = random.Random(7), {}, 0
    for _ in range(KILLS):
        killer = multiprocessing.get_context("fork").Process(target=kill_soon, args=(relay.pid, chaos.random() * 0.4))
        while True:
            payload = str(sent).encode()
            sent += 1
            try:
                pushed = laptop.vault.push([laptop.session.seal(change_of(payload), 1)])
            except RelayUnreachable:
                break
            acknowledged[pushed.receipts[0].seq] = payload
            if killer.pid is None:
                killer.start()
        killer.join()
        relay.kill()
        relay.start()
    laptop.pull(limit=500)
    there = dict(enumerate(laptop.applied, start=1))
    assert len(acknowledged) > KILLS
    assert {seq: there.get(seq) for seq in acknowledged} == acknowledged
    assert len(set(laptop.applied)) == len(laptop.applied)


def kill_soon(pid: int, after_seconds: float) -> None:
    import os
    import signal

    time.sleep(after_seconds)
    os.kill(pid, signal.SIGKILL)


def test_a_clean_stop_answers_what_it_took(start_relay: StartRelay) -> None:
    relay = start_relay()
    laptop = Peer.found(relay.url)
    laptop.push(b"before the stop")
    relay.stop()
    relay.start()
    laptop.push(b"after the start")
    laptop.pull()
    assert laptop.applied == [b"before the stop", b"after the start"]
