"""Real devices against a real relay, the SDK over HTTP: the embedded server, and the functions as sam built them."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import ClassVar

import httpx
import pytest

from relay_protocol.encoding import base64url
from sync_relay_client import Change, DeviceKey, Invitation, OpenedChange, RelayClient, VaultEndpoint, VaultSession
from tests.e2e.relays import Relays
from tools.embedded import EmbeddedRelay

StartRelay = Callable[..., EmbeddedRelay]
INVITATION_SECONDS = 600
COLLECTED = pytest.StashKey[list[pytest.Item]]()
"""The tests of this folder, in the run's configuration."""


class Peer:
    """A device in a vault: its client, what it verified, and the payloads it applied, in order."""

    to_close: ClassVar[list[RelayClient]] = []

    def __init__(
        self, url: str, key: DeviceKey, session: VaultSession, transport: httpx.BaseTransport | None = None
    ) -> None:
        self.url = url
        self.client = RelayClient(url, key, transport=transport)
        self._transport = transport
        self.to_close.append(self.client)
        self.session = session
        self.applied: list[bytes] = []

    @classmethod
    def found(cls, url: str, transport: httpx.BaseTransport | None = None) -> "Peer":
        """Found a vault. `transport` stands in the network's place."""
        key, vault_id = DeviceKey.generate(), str(uuid.uuid4())
        with RelayClient(url, key, transport=transport) as client:
            registered = client.register(vault_id)
        return cls(url, key, VaultSession.found(key, vault_id, registered.epoch), transport)

    @property
    def vault(self) -> VaultEndpoint:
        return self.client.vault(self.session.vault_id, self.session.epoch)

    def invite(self, now_seconds: int) -> "Peer":
        """Pair a new device with this one, as people do."""
        key = DeviceKey.generate()
        self.vault.push([self.session.admit(key.public_key)])
        self.pull()
        code = self.session.invite(key.public_key, self.url, now_seconds + INVITATION_SECONDS)
        invitation = Invitation.open(code, key)
        with RelayClient(invitation.relay_url, key, transport=self._transport) as client:
            client.register(invitation.vault_id, invitation.endorsement)
        return Peer(invitation.relay_url, key, VaultSession.join(key, invitation), self._transport)

    def push(self, *payloads: bytes) -> None:
        self.vault.push([self.session.seal(change_of(payload), 1) for payload in payloads])

    def pull(self, limit: int | None = None) -> list[OpenedChange]:
        """Pull and verify all that is new."""
        found: list[OpenedChange] = []
        while True:
            page = self.vault.pull(self.session.head.seq, limit)
            opened = [one for one in self.session.open_page(page) if not one.is_own_operation]
            found += opened
            self.applied += [one.change.payload for one in opened]
            if not page.has_more:
                return found


def change_of(payload: bytes) -> Change:
    return Change("ana", "2026-04-26T09:30:04.000Z", "upsert", "note", base64url(payload[:32]) or "-", payload)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep what was collected, for the test that looks for those that are not run as built and do not say why."""
    config.stash[COLLECTED] = [item for item in items if Path(__file__).parent in item.path.parents]


@pytest.fixture
def start_relay(tmp_path: Path, relays: Relays) -> Iterator[StartRelay]:
    """Start relays that end with the test; their variables are given by name."""
    with ExitStack() as stack:

        def start(folder: str = "relay", **variables: str) -> EmbeddedRelay:
            return relays.start(stack, tmp_path / folder, variables)

        yield start
        while Peer.to_close:
            Peer.to_close.pop().close()
