"""Each operation against a relay of our own making: answers that can't be right."""

import gzip
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from relay_protocol.answers import DownloadableSnapshot
from relay_protocol.encoding import base64url
from sync_relay_client import (
    Change,
    ContentMeasure,
    DeviceKey,
    RelayClient,
    SnapshotContext,
    VaultEndpoint,
    VaultSession,
)
from sync_relay_client.errors import AnswerInvalid, EpochChanged, RelayRefused
from sync_relay_client.requests import MAX_ANSWER_BYTES
from tests.client.answers.relay_answers import (
    BLOB,
    BLOB_ID,
    CHAIN,
    DOWNLOAD,
    EPOCH,
    HEAD,
    URL,
    VAULT,
    Relay,
    device_answer,
    page_answer,
    pushed_answer,
    snapshot_answer,
    vault_answer,
)

if TYPE_CHECKING:
    from tests.client.conftest import Log

MakeChange = Callable[..., Change]


@pytest.mark.parametrize(
    "answer", [b"", b"nul", b"[]", b"null", b"{}", b'{"status":"ill"}', b'{"status":NaN}', b"\xff"]
)
def test_an_answer_of_another_form(relay: Relay, client: RelayClient, answer: bytes) -> None:
    relay.answer = answer
    with pytest.raises(AnswerInvalid):
        client.health()


@pytest.mark.parametrize("status", [301, 304])
def test_an_answer_that_is_neither_success_nor_error(relay: Relay, client: RelayClient, status: int) -> None:
    """A redirect is not followed: the signature is for this address alone."""
    relay.status, relay.headers, relay.answer = status, {"Location": "https://other.example"}, {"status": "ok"}
    with pytest.raises(AnswerInvalid):
        client.health()
    assert len(relay.asked) == 1


def test_an_answer_may_be_as_long_as_it_may(relay: Relay, client: RelayClient) -> None:
    relay.answer = b'{"status":"ok"}'.ljust(MAX_ANSWER_BYTES)
    client.health()


def test_an_answer_that_is_too_long(relay: Relay, client: RelayClient) -> None:
    relay.answer = b'{"status":"ok"}'.ljust(MAX_ANSWER_BYTES + 1)
    with pytest.raises(AnswerInvalid, match="too large"):
        client.health()


def test_a_content_coding_is_neither_asked_for_nor_undone(relay: Relay, client: RelayClient) -> None:
    """A few bytes of gzip hold gigabytes."""
    relay.headers, relay.answer = {"Content-Encoding": "gzip"}, gzip.compress(b'{"status":"ok"}')
    with pytest.raises(AnswerInvalid, match="coding"):
        client.health()
    assert relay.asked[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    "other",
    [
        {"vault_id": EPOCH},
        {"device_id": CHAIN},
        {"public_key": CHAIN},
        {"public_key": "short"},
        {"epoch": "none"},
        {"head": None},
    ],
)
def test_a_registration_of_something_else(
    relay: Relay, client: RelayClient, alice: DeviceKey, other: dict[str, Any]
) -> None:
    relay.answer = device_answer(alice) | {"vault_id": VAULT, "epoch": EPOCH, "head": HEAD} | other
    with pytest.raises(AnswerInvalid):
        client.register(VAULT)


def test_a_device_whose_id_does_not_certify_its_key(
    relay: Relay, client: RelayClient, alice: DeviceKey, bob: DeviceKey
) -> None:
    relay.answer = device_answer(bob, algorithm="ed25519", public_key=base64url(alice.public_key))
    with pytest.raises(AnswerInvalid):
        client.device(bob.device_id)


def test_another_device_than_was_asked_for(relay: Relay, client: RelayClient, alice: DeviceKey, bob: DeviceKey) -> None:
    relay.answer = device_answer(alice, algorithm="ed25519")
    with pytest.raises(AnswerInvalid):
        client.device(bob.device_id)


def test_a_roster_with_a_key_put_in(relay: Relay, vault: VaultEndpoint, alice: DeviceKey, bob: DeviceKey) -> None:
    member = device_answer(bob, revoked_at=None, endorsement=None)
    for devices in ([member, member], [member | {"public_key": base64url(alice.public_key)}]):
        relay.answer = {"epoch": EPOCH, "devices": devices}
        with pytest.raises(AnswerInvalid):
            vault.roster()


def test_another_vault_than_was_asked_for(relay: Relay, vault: VaultEndpoint) -> None:
    relay.answer = vault_answer(vault_id=EPOCH)
    with pytest.raises(AnswerInvalid):
        vault.info()


def test_receipts_that_are_not_those_of_the_push(
    relay: Relay, vault: VaultEndpoint, founder: VaultSession, change: MakeChange
) -> None:
    sealed = [founder.seal(change(), 3), founder.seal(change(), 3)]
    first, second = (envelope.id for envelope in sealed)
    for ids in ([], [first], [second, first], [first, first], [first, second, VAULT]):
        relay.answer = pushed_answer(ids)
        with pytest.raises(AnswerInvalid):
            vault.push(sealed)


@pytest.mark.parametrize("seq", [0, 6])
def test_a_receipt_outside_of_the_log(
    relay: Relay, vault: VaultEndpoint, founder: VaultSession, change: MakeChange, seq: int
) -> None:
    sealed = founder.seal(change(), 3)
    relay.answer = pushed_answer([sealed.id])
    relay.answer["receipts"][0]["seq"] = seq
    with pytest.raises(AnswerInvalid):
        vault.push([sealed])


@pytest.mark.parametrize(
    "other",
    [
        {"cursor": 1},
        {"cursor": 3},
        {"has_more": True},
        {"has_more": 0},
        {"head": {"seq": 1, "chain": CHAIN}},
        {"head": {"seq": 3, "chain": CHAIN}},
        {"changesets": []},
        {"changesets": [{}]},
        {"changesets": None},
    ],
)
def test_a_page_that_contradicts_itself(
    relay: Relay,
    vault: VaultEndpoint,
    log: "Log",
    founder: VaultSession,
    change: MakeChange,
    other: dict[str, Any],
) -> None:
    relay.answer = page_answer(log.push(founder.seal(change(), 3), founder.seal(change(), 3)), **other)
    with pytest.raises(AnswerInvalid):
        vault.pull(0)


def test_an_empty_page_that_promises_more(relay: Relay, vault: VaultEndpoint, log: "Log") -> None:
    """A client that believed it would ask for ever."""
    relay.answer = page_answer(log, has_more=True, head=HEAD)
    with pytest.raises(AnswerInvalid):
        vault.pull(0)


def test_a_lone_surrogate_in_an_answer(
    relay: Relay, vault: VaultEndpoint, log: "Log", founder: VaultSession, change: MakeChange
) -> None:
    relay.answer = page_answer(log.push(founder.seal(change(), 3)))
    relay.answer["changesets"][0]["nonce"] = "\ud800"
    with pytest.raises(AnswerInvalid):
        vault.pull(0)


def test_another_snapshot_than_was_asked_for(relay: Relay, vault: VaultEndpoint, log: "Log") -> None:
    other = snapshot_answer(sha256=CHAIN)
    relay.answer = {"epoch": EPOCH, "snapshot": other, "upload": None}
    measured = ContentMeasure(len(BLOB), sha256(BLOB).digest())
    for ask in (
        lambda: vault.complete(BLOB_ID),
        lambda: vault.snapshot(BLOB_ID),
        lambda: vault.announce(SnapshotContext(VAULT, log.head, 3, "k"), measured),
    ):
        with pytest.raises(AnswerInvalid):
            ask()


@pytest.mark.parametrize("blob", [b"", BLOB[:-1], BLOB + b"x", b"x" + BLOB[1:]])
def test_a_blob_that_is_not_the_announced_one(relay: Relay, client: RelayClient, blob: bytes) -> None:
    relay.answer = blob
    with pytest.raises(AnswerInvalid):
        list(client.download(DownloadableSnapshot.model_validate(snapshot_answer(download=DOWNLOAD))))


def test_a_blob_that_is_shorter_than_announced(relay: Relay, client: RelayClient) -> None:
    relay.answer = BLOB
    longer = DownloadableSnapshot.model_validate(snapshot_answer(download=DOWNLOAD, size=len(BLOB) + 1))
    with pytest.raises(AnswerInvalid):
        list(client.download(longer))


class Endless(httpx.SyncByteStream):
    def __iter__(self) -> Iterator[bytes]:
        for _ in range(100):
            yield bytes(len(BLOB))
        pytest.fail("more is read than was announced")


def test_a_blob_without_end(alice: DeviceKey) -> None:
    client = RelayClient(URL, alice, transport=httpx.MockTransport(lambda _: httpx.Response(200, stream=Endless())))
    with pytest.raises(AnswerInvalid, match="longer"):
        list(client.download(DownloadableSnapshot.model_validate(snapshot_answer(download=DOWNLOAD))))


@pytest.mark.parametrize(("status", "error"), [(403, RelayRefused), (206, AnswerInvalid), (302, AnswerInvalid)])
def test_a_blob_that_the_store_does_not_give(
    relay: Relay, client: RelayClient, status: int, error: type[Exception]
) -> None:
    relay.status, relay.answer = status, BLOB
    with pytest.raises(error):
        list(client.download(DownloadableSnapshot.model_validate(snapshot_answer(download=DOWNLOAD))))


def test_a_snapshot_that_is_not_available(client: RelayClient) -> None:
    with pytest.raises(ValueError, match="not available"):
        list(client.download(DownloadableSnapshot.model_validate(snapshot_answer())))


# ---------------------------------------------------------------- the epoch


def test_every_answer_about_a_vault_is_held_to_its_epoch(
    relay: Relay, client: RelayClient, log: "Log", founder: VaultSession, change: MakeChange, alice: DeviceKey
) -> None:
    vault = client.vault(VAULT, "00000000-0000-0000-0000-000000000000")
    sealed = founder.seal(change(), 3)
    member = device_answer(alice, revoked_at=None, endorsement=None)
    one = {"epoch": EPOCH, "snapshot": snapshot_answer(download=DOWNLOAD)}
    measured = ContentMeasure(len(BLOB), sha256(BLOB).digest())
    for ask, answer in (
        (vault.info, vault_answer()),
        (vault.roster, {"epoch": EPOCH, "devices": [member]}),
        (lambda: vault.push([sealed]), pushed_answer([sealed.id])),
        (lambda: vault.pull(0), page_answer(log)),
        (vault.latest_snapshot, one),
        (lambda: vault.snapshot(BLOB_ID), one),
        (lambda: vault.complete(BLOB_ID), one),
        (vault.snapshots, {"epoch": EPOCH, "snapshots": []}),
        (
            lambda: vault.announce(SnapshotContext(VAULT, log.head, 3, "k"), measured),
            {"epoch": EPOCH, "snapshot": snapshot_answer(), "upload": None},
        ),
    ):
        relay.answer = answer
        with pytest.raises(EpochChanged):
            ask()


def test_without_an_epoch_any_is_taken(relay: Relay, client: RelayClient) -> None:
    relay.answer = vault_answer()
    assert client.vault(VAULT).info().epoch == EPOCH
