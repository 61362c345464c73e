"""Real devices against a real relay, the SDK over HTTP: the embedded server, and the functions as sam built them."""

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import ClassVar

import httpx
import pytest

from relay_protocol.encoding import base64url
from sync_relay_client import Change, DeviceKey, Invitation, OpenedChange, RelayClient, VaultEndpoint, VaultSession
from tests.backends import need_built_functions
from tools.embedded import EmbeddedRelay
from tools.emulator.relay import BuiltRelay
from tools.stand_ins.stores import Stores

StartRelay = Callable[..., EmbeddedRelay]
INVITATION_SECONDS = 600


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


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests that are marked `as_built` twice: the other time against what `sam build` made.

    Those that are marked `as_built("slow")` take minutes so, and run twice only where RELAY_TEST_SLOW is set.
    """
    if "relay_kind" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker("as_built")
        is_twice = marker is not None and (not marker.args or "RELAY_TEST_SLOW" in os.environ)
        metafunc.parametrize("relay_kind", ["embedded", "emulated"] if is_twice else ["embedded"])


@pytest.fixture
def start_relay(tmp_path: Path, relay_kind: str, request: pytest.FixtureRequest) -> Iterator[StartRelay]:
    """Start relays that end with the test; their variables are given by name."""
    built: BuiltRelays | None = request.getfixturevalue("built_relays") if relay_kind == "emulated" else None
    with ExitStack() as stack:

        def start(folder: str = "relay", **variables: str) -> EmbeddedRelay:
            if built is not None:
                return built.start(stack, tmp_path / folder, variables)
            return stack.enter_context(EmbeddedRelay(tmp_path / folder, **variables))

        yield start
        while Peer.to_close:
            Peer.to_close.pop().close()


class BuiltRelays:
    """Relays as they were built, on stand-ins for AWS."""

    SHARED: tuple[dict[str, str], ...] = ({}, {"RELAY_RATE_LIMIT": "off"})
    """What most tests ask for: they share a relay, and have vaults of their own: functions start slowly."""

    def __init__(self, stack: ExitStack, folder: Path, dynamodb_url: str, s3_url: str) -> None:
        self._stack = stack
        self._folder = folder
        self._urls = dynamodb_url, s3_url
        self._shared: BuiltRelay | None = None

    def start(self, stack: ExitStack, folder: Path, variables: dict[str, str]) -> BuiltRelay:
        """Return a running relay; with other variables than most tests ask for, one on empty stores, for this test."""
        if variables not in self.SHARED:
            return self._started(stack, folder, variables)
        if self._shared is None:
            self._shared = self._started(self._stack, self._folder, self.SHARED[1])
        return self._shared

    def stores(self, stack: ExitStack) -> Stores:
        """Return empty tables and an empty bucket."""
        return stack.enter_context(closing(Stores(*self._urls)))

    def _started(self, stack: ExitStack, folder: Path, variables: dict[str, str]) -> BuiltRelay:
        stores = self.stores(stack)
        return stack.enter_context(BuiltRelay(folder, **stores.variables | variables))


@pytest.fixture(scope="session")
def built_relays(tmp_path_factory: pytest.TempPathFactory, dynamodb_url: str, s3_url: str) -> Iterator[BuiltRelays]:
    """Relays as they are deployed, where this machine can have them."""
    need_built_functions()
    with ExitStack() as stack:
        yield BuiltRelays(stack, tmp_path_factory.mktemp("built"), dynamodb_url, s3_url)
