"""Two devices of a vault, a neighbour in another one, and what a restored or moved relay does to them."""

import random
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from relay_protocol.errors import EndorsementRequired, VaultErased
from sync_relay_client import DeviceKey, RelayClient
from sync_relay_client.errors import EpochChanged, RelayRefused
from tests.e2e.conftest import Peer, StartRelay

AWKWARD = [b"", bytes(range(256)), "naïve 💶 \u2028 \x00".encode(), random.Random(1).randbytes(100_000)]


def test_both_devices_read_every_byte_in_one_order(start_relay: StartRelay) -> None:
    laptop = Peer.found(start_relay().url)
    phone = laptop.invite(int(time.time()))
    laptop.push(*AWKWARD)
    phone.pull()
    phone.push(b"from the phone")
    laptop.push(b"from the laptop")
    laptop.pull()
    phone.pull()
    assert laptop.applied == phone.applied == [*AWKWARD, b"from the phone", b"from the laptop"]
    assert laptop.session.head == phone.session.head
    assert laptop.session.head.seq == 1 + len(laptop.applied)


def test_pages_of_every_size_give_the_same_log(start_relay: StartRelay) -> None:
    laptop = Peer.found(start_relay().url)
    payloads = [str(number).encode() for number in range(23)]
    laptop.push(*payloads)
    for limit in (1, 7, 22, 23, 24, 500):
        reader = Peer(laptop.url, laptop.session.device, laptop.session)
        seqs, cursor = [], 0
        while True:
            page = reader.vault.pull(cursor, limit)
            seqs += [one.seq for one in page.changesets]
            cursor += len(page.changesets)
            if not page.has_more:
                break
        assert seqs == list(range(1, 24)), f"limit {limit}"


def test_a_neighbour_learns_nothing_of_a_vault(start_relay: StartRelay) -> None:
    url = start_relay().url
    laptop, neighbour = Peer.found(url), Peer.found(url)
    laptop.push(b"private")
    answers = []
    for vault_id in (laptop.session.vault_id, str(uuid.uuid4())):
        with pytest.raises(RelayRefused) as refused:
            neighbour.client.vault(vault_id).pull(0)
        answers.append((refused.value.status, refused.value.code, refused.value.members))
    assert answers[0] == answers[1] == (404, "vault_not_found", {})
    neighbour.push(b"own")
    neighbour.pull()
    assert neighbour.applied == [b"own"]


def test_twenty_vaults_push_and_pull_at_once(start_relay: StartRelay) -> None:
    url = start_relay().url
    peers = [Peer.found(url) for _ in range(20)]
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda peer: peer.push(peer.session.vault_id.encode()), peers))
        list(pool.map(lambda peer: peer.pull(), peers))
    assert [peer.applied for peer in peers] == [[peer.session.vault_id.encode()] for peer in peers]


def test_a_client_stops_at_a_new_epoch(start_relay: StartRelay) -> None:
    relay = start_relay()
    laptop = Peer.found(relay.url)
    laptop.push(b"before the restore")
    relay.new_epoch()
    with pytest.raises(EpochChanged):
        laptop.pull()
    assert laptop.applied == []


def test_a_revoked_device_stays_out(start_relay: StartRelay) -> None:
    laptop = Peer.found(start_relay().url)
    phone = laptop.invite(int(time.time()))
    laptop.vault.revoke(phone.session.device.device_id)
    for attempt in (phone.pull, lambda: phone.client.register(phone.session.vault_id)):
        with pytest.raises(RelayRefused) as refused:
            attempt()
        assert refused.value.code == "device_revoked"


def test_an_erased_id_is_spent_also_in_a_race(start_relay: StartRelay) -> None:
    url = start_relay(RELAY_RATE_LIMIT="off").url
    for _ in range(10):
        laptop = Peer.found(url)
        vault_id, gone = laptop.session.vault_id, threading.Event()
        codes: set[str | None] = set()

        def knock(vault_id: str = vault_id, gone: threading.Event = gone, codes: set[str | None] = codes) -> None:
            with RelayClient(url, DeviceKey.generate()) as stranger:
                last_try = False
                while not last_try:
                    last_try = gone.is_set()
                    with pytest.raises(RelayRefused) as refused:
                        stranger.register(vault_id)
                    codes.add(refused.value.code)

        knocking = [threading.Thread(target=knock) for _ in range(3)]
        for thread in knocking:
            thread.start()
        laptop.vault.erase(laptop.session.head.chain)
        gone.set()
        for thread in knocking:
            thread.join()
        assert VaultErased.code in codes
        assert codes <= {VaultErased.code, EndorsementRequired.code}
        with pytest.raises(RelayRefused) as refused:
            laptop.pull()
        assert refused.value.code == "unknown_device"
