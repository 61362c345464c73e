"""Many changes over bad connections: each arrives once, in order, however often an answer or a week is lost."""

import random
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import httpx

from sync_relay_client import Options, Vault
from sync_relay_client.errors import RelayRefused, RelayUnreachable
from tests.client.app import applied, apply_all, change_of, pair
from tests.e2e.conftest import StartRelay

CHANGES = {"embedded": 10_000, "emulated": 2_000}
OFFLINE_EDITS = {"embedded": 5_000, "emulated": 1_000}
"""Of each device. On DynamoDB each change is a claim of its own, which takes a function 2 ms of its processor."""
FEWEST_REFUSED = {"embedded": 5, "emulated": 1}


class BadConnection(httpx.HTTPTransport):
    """Drops one answer in five, after the relay has done the work; refuses some requests, before it has."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._random = random.Random(seed)
        self.happened: Counter[str] = Counter()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        drawn = self._random.random()
        if drawn < 0.05:
            self.happened["refused"] += 1
            return httpx.Response(429, headers={"Retry-After": "7"})
        if drawn < 0.1:
            self.happened["unavailable"] += 1
            return httpx.Response(503, headers={"Retry-After": "2"})
        response = super().handle_request(request)
        if drawn < 0.3:
            self.happened["lost"] += 1
            response.read()
            response.close()
            raise httpx.ReadError("the answer was lost")
        self.happened["answered"] += 1
        return response


def record_all(vault: Vault, payloads: list[bytes]) -> None:
    with vault.outbox() as outbox:
        for payload in payloads:
            outbox.add(change_of(payload))


def sync_until_through(vault: Vault) -> None:
    while True:
        with suppress(RelayUnreachable, RelayRefused):
            vault.sync()
            break
    apply_all(vault)


def test_many_thousand_changes_through_a_connection_that_loses_one_answer_in_five(
    start_relay: StartRelay, relay_kind: str, home: Path
) -> None:
    url = start_relay(RELAY_RATE_LIMIT="off").url
    paused: list[float] = []
    bad = BadConnection(5)
    good = Options(keyring="file")
    with Vault.create(home / "this", url, options=good) as this:
        pair(this, home / "other", good).close()
    payloads = [b"%05d" % number for number in range(CHANGES[relay_kind])]
    options = replace(good, transport=bad, sleep=paused.append)
    with Vault.open(home / "this", options=options) as this, Vault.open(home / "other", options=options) as other:
        record_all(this, payloads)
        for vault in (this, other):
            sync_until_through(vault)
        assert this.head == other.head
        assert this.status().outbox == this.status().unverified == 0
    assert applied(home / "other") == applied(home / "this") == payloads
    assert min(bad.happened[kind] for kind in ("refused", "unavailable")) >= FEWEST_REFUSED[relay_kind]
    assert bad.happened["lost"] >= bad.happened["answered"] / 5
    assert len(paused) >= bad.happened["lost"]


def test_two_devices_that_were_offline_for_a_week(start_relay: StartRelay, relay_kind: str, home: Path) -> None:
    url = start_relay(RELAY_RATE_LIMIT="off").url
    options = Options(keyring="file")
    names = ("this", "other")
    with Vault.create(home / "this", url, options=options) as this, pair(this, home / "other", options) as other:
        vaults = dict(zip(names, (this, other), strict=True))
        edits = {
            name: [f"{name} {number:04}".encode() for number in range(OFFLINE_EDITS[relay_kind])] for name in names
        }
        for day in range(7):
            for name, vault in vaults.items():
                record_all(vault, edits[name][day::7])
        for vault in (this, other, this):
            vault.sync()
            apply_all(vault)
        assert this.head == other.head
        assert this.head.seq >= 2 * OFFLINE_EDITS[relay_kind]
    found = applied(home / "this")
    assert found == applied(home / "other")
    for name in names:
        own = [payload for payload in found if payload.startswith(name.encode())]
        assert own == [payload for day in range(7) for payload in edits[name][day::7]]
