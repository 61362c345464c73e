"""A client of a relay that answers what it is told to."""

from collections.abc import Iterator

import httpx
import pytest

from sync_relay_client import DeviceKey, RelayClient, VaultEndpoint
from tests.client.answers.relay_answers import EPOCH, URL, VAULT, Relay


@pytest.fixture
def relay() -> Relay:
    return Relay()


@pytest.fixture
def client(relay: Relay, alice: DeviceKey) -> Iterator[RelayClient]:
    with RelayClient(URL, alice, transport=httpx.MockTransport(relay), clock=lambda: 1_777_195_800.9) as made:
        yield made


@pytest.fixture
def vault(client: RelayClient) -> VaultEndpoint:
    return client.vault(VAULT, EPOCH)
