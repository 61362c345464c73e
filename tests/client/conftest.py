"""What the client's tests share: the vectors, devices, an honest log in memory, a forger, a relay in this process."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_encrypt
from nacl.utils import random

from relay_protocol.chain import Head, extend, genesis
from relay_protocol.encoding import base64url, pae
from sync_relay_client import Change, DeviceKey, Envelope, Page, VaultKey, VaultSession
from sync_relay_client.history import MemoryHistory
from sync_relay_client.opening import PulledEnvelope
from sync_relay_client.padding import pad
from tests.client.app import found, pair, record, sync
from tests.client.cli_world import CommandLine
from tests.client.crash import Stage
from tests.client.relay_in_process import RelayInProcess
from tools.embedded import EmbeddedRelay

VECTORS = Path(__file__).parents[2] / "schema" / "vectors"
RECEIVED_AT = "2026-04-26T09:30:00.000Z"
EPOCH = "7a1d9f42-31c5-4f0e-8a6b-90d1c2b3a4f5"


@pytest.fixture
def vector() -> Callable[[str], Any]:
    """Load a file of test vectors by its name."""
    return lambda name: json.loads((VECTORS / f"{name}.json").read_bytes())


@pytest.fixture
def devices(vector: Callable[[str], Any]) -> dict[str, DeviceKey]:
    return {one["name"]: DeviceKey.from_seed(bytes.fromhex(one["seed"])) for one in vector("devices")["devices"]}


@pytest.fixture
def alice(devices: dict[str, DeviceKey]) -> DeviceKey:
    return devices["alice"]


@pytest.fixture
def bob(devices: dict[str, DeviceKey]) -> DeviceKey:
    return devices["bob"]


@pytest.fixture
def carol(devices: dict[str, DeviceKey]) -> DeviceKey:
    return devices["carol"]


class Log:
    """An honest relay's log of one vault: it links what it is given, and hands out pages of it."""

    def __init__(self) -> None:
        self.vault_id = str(uuid4())
        self.head = genesis(self.vault_id)
        self.entries: list[PulledEnvelope] = []

    def push(self, *envelopes: Envelope) -> "Log":
        for envelope in envelopes:
            self.head = extend(self.head, envelope.digest(self.vault_id))
            self.entries.append(PulledEnvelope(self.head.seq, RECEIVED_AT, self.head.chain, envelope))
        return self

    def page(self, since: int, limit: int = 1000) -> Page:
        entries = self.entries[since : since + limit]
        cursor = entries[-1].seq if entries else since
        return Page(EPOCH, entries, cursor, cursor < self.head.seq, self.head)


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def founder(log: Log, alice: DeviceKey) -> VaultSession:
    """Alice's session of a vault that she just founded."""
    return VaultSession.found(alice, log.vault_id, EPOCH, VaultKey(bytes(range(32))))


@pytest.fixture
def admit(log: Log) -> Callable[[VaultSession, DeviceKey], VaultSession]:
    """Admit and invite a device by a session that is at the log's head; return its session, at the head too."""

    def run(inviter: VaultSession, device: DeviceKey) -> VaultSession:
        from sync_relay_client import Invitation

        log.push(inviter.admit(device.public_key))
        inviter.open_page(log.page(inviter.head.seq))
        code = inviter.invite(device.public_key, "https://relay.example/prod", 1_800_000_000)
        joined = VaultSession.join(device, Invitation.open(code, device))
        joined.open_page(log.page(0))
        return joined

    return run


def make_change(**members: Any) -> Change:
    return Change(
        **(
            {
                "origin_user": "ana@example.org",
                "timestamp": "2026-04-26T09:30:04.000Z",
                "operation_type": "upsert",
                "entity": "transaction",
                "entity_id": "2026-04-26/grocer",
                "payload": b'{"amount":"12.50"}',
            }
            | members
        )
    )


@pytest.fixture
def change() -> Callable[..., Change]:
    """Make a change, members given by name replacing those of a common one."""
    return make_change


class Forger:
    """Seals by its own code what a well-behaved client would not."""

    def __init__(self, vault_id: str, key: VaultKey) -> None:
        self.vault_id = vault_id
        self.key = key

    def __call__(
        self,
        author: DeviceKey,
        witness: Head,
        change: Change | None = None,
        *,
        outside: dict[str, Any] | None = None,
        body: bytes | None = None,
        signer: DeviceKey | None = None,
        plaintext: bytes | None = None,
        padded: bytes | None = None,
    ) -> Envelope:
        """Seal a change; `outside` replaces members that the relay sees, the others what is at each layer inside."""
        change = change or make_change()
        changeset_id = (outside or {}).get("id", str(uuid4()))
        names = ("origin_user", "operation_type", "entity", "entity_id")
        blinded = {name: self.key.blind(name, changeset_id, getattr(change, name)) for name in names}
        bare = Envelope(
            **{
                "id": changeset_id,
                "origin_device": author.device_id,
                "timestamp": "-",
                "schema_version": 3,
                "key_id": self.key.key_id,
                "nonce": "",
                "ciphertext": "",
                **blinded,
                **(outside or {}),
            }
        )
        aad = bare.associated_data(self.vault_id)
        if body is None:
            body = self.body(change, witness)
        if plaintext is None:
            plaintext = pae(body, (signer or author).sign(pae("sync-relay/author/v1", aad, body)))
        nonce = random(24)
        sealed = crypto_aead_xchacha20poly1305_ietf_encrypt(
            pad(plaintext) if padded is None else padded, aad, nonce, self.key.aead_key
        )
        return replace(bare, nonce=base64url(nonce), ciphertext=base64url(sealed))

    @staticmethod
    def body(change: Change, witness: Head) -> bytes:
        names = (change.origin_user, change.timestamp, change.operation_type, change.entity, change.entity_id)
        return pae("sync-relay/body/v1", *names, change.payload, witness.seq, witness.chain)


@pytest.fixture
def three(log: Log, founder: VaultSession, change: Callable[..., Change]) -> Log:
    return log.push(*(founder.seal(change(entity_id=str(number)), 3) for number in range(3)))


@pytest.fixture
def forge(log: Log, founder: VaultSession) -> Forger:
    return Forger(log.vault_id, founder.keys[0])


def state_of(session: VaultSession) -> tuple[Any, ...]:
    history = session._history
    assert isinstance(history, MemoryHistory)
    return (history.head, dict(history._chains), set(history._ids), session._trust, session.epoch)


@pytest.fixture
def unchanged() -> Callable[[VaultSession, type[Exception]], AbstractContextManager[pytest.ExceptionInfo[Any]]]:
    """Expect exactly this exception, and that the session holds afterwards what it held before."""

    @contextmanager
    def expect(session: VaultSession, error: type[Exception]) -> Iterator[pytest.ExceptionInfo[Any]]:
        before = state_of(session)
        with pytest.raises(error) as caught:
            yield caught
        assert type(caught.value) is error
        assert state_of(session) == before

    return expect


@pytest.fixture
def relay() -> RelayInProcess:
    """A relay in this process, without a rate limit."""
    return RelayInProcess()


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRelay]:
    """A real relay that vaults of many tests share."""
    with EmbeddedRelay(tmp_path_factory.mktemp("relay") / "data", RELAY_RATE_LIMIT="off") as relay:
        yield relay


@pytest.fixture
def laptop(embedded: EmbeddedRelay, tmp_path: Path) -> CommandLine:
    """A device that founded a vault by the command line."""
    device = CommandLine(tmp_path / "laptop")
    device("init", embedded.url)
    return device


@pytest.fixture
def phone(laptop: CommandLine, tmp_path: Path) -> CommandLine:
    """A second device of the laptop's vault."""
    device = CommandLine(tmp_path / "phone")
    laptop.invite(device)
    return device


@pytest.fixture
def stage(relay: RelayInProcess, home: Path) -> Stage:
    """Two devices; each has a change that the other has not pulled, and this one's is recorded only."""
    with found(relay, home / "this") as this, pair(this, home / "other", relay.options()) as other:
        this.sync()
        record(other, [b"theirs"])
        sync(other)
        record(this, [b"ours"])
    return Stage(relay, home)
