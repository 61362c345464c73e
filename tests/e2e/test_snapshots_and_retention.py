"""Snapshots over real HTTP: past the relay and back, and as the way past a pruned history."""

import time
from collections.abc import Iterator

import pytest

from sync_relay_client import measure
from sync_relay_client.errors import RelayRefused
from tests.e2e.conftest import Peer, StartRelay
from tools.embedded import EmbeddedRelay

CONTENT = [b"a whole vault " * 1000] * 200


def pieces() -> Iterator[bytes]:
    return iter(CONTENT)


def upload_snapshot(peer: Peer) -> str:
    """Take a snapshot of the verified head, as §7.8 has it; return its id."""
    context, blob = peer.session.seal_snapshot(pieces(), measure(pieces()), 1)
    spooled = b"".join(blob)
    measured = measure([spooled])
    announced = peer.vault.announce(context, measured)
    assert announced.upload is not None
    with pytest.raises(RelayRefused) as early:
        peer.vault.complete(announced.snapshot.sha256)
    assert early.value.code == "upload_incomplete"
    peer.client.upload(announced.upload, [spooled], measured.size)
    completed = peer.vault.complete(announced.snapshot.sha256)
    assert completed.snapshot.status == "available"
    return announced.snapshot.sha256


def test_a_pruned_history_leads_to_a_snapshot_that_restores_it(start_relay: StartRelay) -> None:
    relay = start_relay(RELAY_CHANGESET_DAYS="0")
    laptop = Peer.found(relay.url)
    laptop.push(*(str(number).encode() for number in range(30)))
    laptop.pull()
    assert relay.maintain()["pruned_changesets"] == 0, "nothing is pruned before a snapshot covers it"
    sha256 = upload_snapshot(laptop)
    phone = laptop.invite(int(time.time()))
    assert relay.maintain()["pruned_changesets"] == 30

    with pytest.raises(RelayRefused) as pruned:
        phone.pull()
    assert (pruned.value.status, pruned.value.code) == (410, "history_pruned")
    assert pruned.value.members["snapshot"]["sha256"] == sha256
    found = phone.vault.latest_snapshot().snapshot
    reader = phone.session.open_snapshot(found, phone.client.download(found))
    assert b"".join(reader.content()) == b"".join(CONTENT)
    phone.session.start_at(reader)
    laptop.push(b"after the snapshot")
    phone.pull()
    assert phone.applied == [b"after the snapshot"]
    laptop.pull()
    assert phone.session.head == laptop.session.head


def test_maintenance_beside_a_busy_relay_takes_nothing_that_is_needed(start_relay: StartRelay) -> None:
    relay = start_relay(RELAY_CHANGESET_DAYS="0", RELAY_RATE_LIMIT="off")
    laptop = Peer.found(relay.url)
    for round_number in range(5):
        laptop.push(*(f"{round_number}.{number}".encode() for number in range(20)))
        relay.maintain()
        laptop.pull()
        upload_snapshot(laptop)
    relay.maintain()
    info = laptop.vault.info()
    assert len(laptop.applied) == 100
    assert info.floor.seq == info.head.seq == 100
    assert len(laptop.vault.snapshots().snapshots) == 3
    assert len(blobs_of(relay, laptop)) == 3


def test_an_erased_vault_leaves_no_blob_and_no_row(start_relay: StartRelay) -> None:
    relay = start_relay(RELAY_SERVICE_NAME="of this test alone")  # all that it holds is searched
    laptop = Peer.found(relay.url)
    laptop.push(b"a change")
    laptop.pull()
    upload_snapshot(laptop)
    text = laptop.vault.pull(0).changesets[0].envelope.ciphertext.encode()[:200]
    assert any(text in content for content in relay.holdings.contents()), "the probe must see what it looks for"
    assert blobs_of(relay, laptop)
    laptop.vault.erase(laptop.session.head.chain)
    assert not any(text in content for content in relay.holdings.contents())
    assert blobs_of(relay, laptop) == []


def blobs_of(relay: EmbeddedRelay, peer: Peer) -> list[str]:
    """Return the names of the blobs that the relay keeps for a device's vault."""
    return [name for name in relay.holdings.blobs() if name.startswith(peer.session.vault_id)]
