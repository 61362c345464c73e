"""Each operation against a relay of our own making: what it answers well, wrongly, or not at all."""

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from relay_protocol.answers import DownloadableSnapshot, Upload
from relay_protocol.encoding import base64url
from relay_protocol.limits import Limits, Retention
from relay_protocol.requests import Endorsement
from sync_relay_client import (
    Change,
    ContentMeasure,
    DeviceKey,
    RelayClient,
    SnapshotContext,
    VaultEndpoint,
    VaultSession,
)
from sync_relay_client.errors import AnswerInvalid, EpochChanged, RelayRefused, RelayUnreachable
from sync_relay_client.requests import MAX_ANSWER_BYTES

if TYPE_CHECKING:
    from tests.client.conftest import Log

Handler = Callable[[httpx.Request], httpx.Response]
MakeChange = Callable[..., Change]

URL = "https://relay.example/prod"
VAULT = "0b5f3c1e-8f0a-4d57-9d0c-3c6a1a5f2e77"
EPOCH = "7a1d9f42-31c5-4f0e-8a6b-90d1c2b3a4f5"
TIME = "2026-04-26T09:30:00.000Z"
CHAIN = "A" * 43
HEAD = {"seq": 5, "chain": CHAIN}
BLOB = b"sealed bytes" * 10_000
BLOB_ID = base64url(sha256(BLOB).digest())
DOWNLOAD = {"url": "https://blobs.example/b?signed=1", "expires_at": TIME}


class Relay:
    """Answers everything with what it was told, and keeps what it was asked."""

    def __init__(self) -> None:
        self.status = 200
        self.answer: Any = None
        self.headers: dict[str, str] = {}
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.asked.append(request)
        body = self.answer if isinstance(self.answer, bytes) else json.dumps(self.answer).encode()
        return httpx.Response(self.status, headers=self.headers, stream=httpx.ByteStream(body))


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


def failing(error: Exception) -> Handler:
    def handler(_: httpx.Request) -> httpx.Response:
        raise error

    return handler


def snapshot_answer(**other: Any) -> dict[str, Any]:
    return {
        "sha256": BLOB_ID,
        "size": len(BLOB),
        "key_id": "k",
        "schema_version": 3,
        "covers": HEAD,
        "origin_device": CHAIN,
        "status": "available",
        "created_at": TIME,
    } | other


def device_answer(device: DeviceKey, **other: Any) -> dict[str, Any]:
    return {
        "device_id": device.device_id,
        "public_key": base64url(device.public_key),
        "registered_at": TIME,
    } | other


def vault_answer(**other: Any) -> dict[str, Any]:
    return {
        "vault_id": VAULT,
        "epoch": EPOCH,
        "created_at": TIME,
        "head": HEAD,
        "floor": {"seq": 0, "chain": CHAIN},
        "devices": 1,
        "bytes": 0,
        "snapshot": None,
    } | other


# ---------------------------------------------------------------- what is well answered


def test_a_request_goes_to_the_relay_s_host_and_base_path(relay: Relay, vault: VaultEndpoint) -> None:
    relay.answer = vault_answer()
    vault.info()
    (asked,) = relay.asked
    assert (asked.method, asked.headers["host"], asked.url.path) == ("GET", "relay.example", f"/prod/vaults/{VAULT}")
    assert "created=1777195800;" in asked.headers["signature-input"]


def test_health(relay: Relay, client: RelayClient) -> None:
    relay.answer = {"status": "ok"}
    client.health()
    assert "signature" not in relay.asked[0].headers


def test_config(relay: Relay, client: RelayClient) -> None:
    limits, retention = Limits(), Retention()
    relay.answer = {
        "protocol": 1,
        "limits": asdict(limits),
        "retention": asdict(retention),
        "vault_creation": "open",
    }
    found = client.config()
    assert (found.limits, found.retention, found.vault_creation) == (limits, retention, "open")


@pytest.mark.parametrize("status", [200, 201])
def test_register(relay: Relay, client: RelayClient, alice: DeviceKey, status: int) -> None:
    relay.status = status
    relay.answer = device_answer(alice) | {"vault_id": VAULT, "epoch": EPOCH, "head": HEAD}
    endorsement = Endorsement(endorser=CHAIN, expires_at=1, signature="A" * 86)
    assert client.register(VAULT, endorsement).epoch == EPOCH
    assert json.loads(relay.asked[0].content)["endorsement"] == endorsement.model_dump()


def test_device(relay: Relay, client: RelayClient, bob: DeviceKey) -> None:
    relay.answer = device_answer(bob, algorithm="ed25519")
    assert client.device(bob.device_id).public_key == base64url(bob.public_key)


def test_roster(relay: Relay, vault: VaultEndpoint, alice: DeviceKey, bob: DeviceKey) -> None:
    members = [device_answer(one, revoked_at=None, endorsement=None) for one in (alice, bob)]
    relay.answer = {"epoch": EPOCH, "devices": members}
    assert [one.device_id for one in vault.roster().devices] == [alice.device_id, bob.device_id]


def test_revoke_and_erase(relay: Relay, vault: VaultEndpoint, bob: DeviceKey) -> None:
    relay.status, relay.answer = 204, b""
    vault.revoke(bob.device_id)
    vault.erase(bytes(32))
    assert [asked.method for asked in relay.asked] == ["DELETE", "DELETE"]
    assert relay.asked[1].headers["if-match"] == f'"{CHAIN}"'


def test_push(relay: Relay, vault: VaultEndpoint, founder: VaultSession, change: MakeChange) -> None:
    sealed = [founder.seal(change(), 3), founder.seal(change(), 3)]
    relay.status, relay.headers = 201, {"Sync-Relay-Snapshot": "low"}
    relay.answer = pushed_answer([envelope.id for envelope in sealed])
    pushed = vault.push(sealed, if_match=bytes(32))
    assert [receipt.seq for receipt in pushed.receipts] == [4, 5]
    assert (pushed.head.seq, pushed.snapshot_wanted) == (5, "low")


@pytest.mark.parametrize("value", ["", "soon", "LOW"])
def test_an_urgency_that_the_protocol_does_not_know_is_none(
    relay: Relay, vault: VaultEndpoint, founder: VaultSession, change: MakeChange, value: str
) -> None:
    sealed = founder.seal(change(), 3)
    relay.headers, relay.answer = {"Sync-Relay-Snapshot": value}, pushed_answer([sealed.id])
    assert vault.push([sealed]).snapshot_wanted is None


def pushed_answer(ids: list[str]) -> dict[str, Any]:
    first = HEAD["seq"] - len(ids) + 1  # type: ignore[operator]
    receipts = [
        {"id": one, "seq": first + index, "received_at": TIME, "chain": CHAIN, "status": "created"}
        for index, one in enumerate(ids)
    ]
    return {"epoch": EPOCH, "head": HEAD, "receipts": receipts}


def page_answer(log: "Log", since: int = 0, **other: Any) -> dict[str, Any]:
    page = log.page(since)
    return {
        "epoch": EPOCH,
        "changesets": [
            {"seq": one.seq, "received_at": TIME, "chain": base64url(one.chain), **one.envelope.members()}
            for one in page.changesets
        ],
        "cursor": page.cursor,
        "has_more": page.has_more,
        "head": log.head.as_json(),
    } | other


def test_a_pulled_page_opens(
    relay: Relay, vault: VaultEndpoint, log: "Log", founder: VaultSession, change: MakeChange
) -> None:
    relay.answer = page_answer(log.push(founder.seal(change(), 3), founder.seal(change(), 3)))
    opened = founder.open_page(vault.pull(0, limit=2))
    assert [one.change for one in opened] == [change(), change()]
    assert relay.asked[0].url.query == b"since=0&limit=2"


def test_members_that_a_client_does_not_know_are_ignored(
    relay: Relay, vault: VaultEndpoint, log: "Log", founder: VaultSession, change: MakeChange
) -> None:
    relay.answer = page_answer(log.push(founder.seal(change(), 3)), new="member")
    relay.answer["head"]["new"] = relay.answer["changesets"][0]["new"] = "member"
    assert len(founder.open_page(vault.pull(0))) == 1


def test_announce_upload_and_complete(relay: Relay, client: RelayClient, vault: VaultEndpoint, log: "Log") -> None:
    upload = {"method": "PUT", "url": "https://blobs.example/b", "headers": {"X-Sum": "s"}, "expires_at": TIME}
    relay.answer = {"epoch": EPOCH, "snapshot": snapshot_answer(status="pending"), "upload": upload}
    context = SnapshotContext(VAULT, log.head, 3, "k")
    found = vault.announce(context, ContentMeasure(len(BLOB), sha256(BLOB).digest()))
    assert found.upload is not None
    client.upload(found.upload, iter([BLOB[:7], BLOB[7:]]), len(BLOB))
    relay.answer = {"epoch": EPOCH, "snapshot": snapshot_answer(download=DOWNLOAD)}
    assert vault.complete(BLOB_ID).snapshot.download is not None
    sent = relay.asked[1]
    assert (sent.method, str(sent.url), sent.content) == ("PUT", "https://blobs.example/b", BLOB)
    assert (sent.headers["x-sum"], sent.headers["content-length"]) == ("s", str(len(BLOB)))
    assert not {"transfer-encoding", "content-type", "signature"} & sent.headers.keys()


def test_snapshots_are_listed(relay: Relay, vault: VaultEndpoint) -> None:
    relay.answer = {"epoch": EPOCH, "snapshots": [snapshot_answer()]}
    assert [one.sha256 for one in vault.snapshots().snapshots] == [BLOB_ID]


def test_a_snapshot_is_asked_for_and_downloaded(relay: Relay, client: RelayClient, vault: VaultEndpoint) -> None:
    relay.answer = {"epoch": EPOCH, "snapshot": snapshot_answer(download=DOWNLOAD)}
    assert vault.latest_snapshot() == vault.snapshot(BLOB_ID)
    found = vault.latest_snapshot().snapshot
    relay.answer = BLOB
    pieces = list(client.download(found))
    assert b"".join(pieces) == BLOB
    assert len(pieces) > 1
    assert str(relay.asked[-1].url) == DOWNLOAD["url"]
    assert "signature" not in relay.asked[-1].headers


# ---------------------------------------------------------------- refused


def test_a_refusal_carries_code_members_and_when_to_return(relay: Relay, vault: VaultEndpoint) -> None:
    relay.status, relay.headers = 412, {"Retry-After": "7"}
    relay.answer = {"type": "about:blank", "title": "t", "status": 412, "code": "head_moved", "head": HEAD}
    with pytest.raises(RelayRefused) as caught:
        vault.erase(bytes(32))
    refused = caught.value
    assert (refused.status, refused.code, refused.members, refused.retry_after_seconds) == (
        412,
        "head_moved",
        {"head": HEAD},
        7,
    )


@pytest.mark.parametrize("answer", [b"", b"<html>", b"[]", b'{"message":"Forbidden"}', b'{"code":7}', b"\xff"])
def test_a_refusal_by_what_stands_before_the_relay(relay: Relay, vault: VaultEndpoint, answer: bytes) -> None:
    relay.status, relay.answer, relay.headers = 502, answer, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}
    with pytest.raises(RelayRefused) as caught:
        vault.info()
    assert (caught.value.status, caught.value.code, caught.value.retry_after_seconds) == (502, None, None)


@pytest.mark.parametrize("error", [httpx.ConnectError("x"), httpx.ReadTimeout("x"), httpx.RemoteProtocolError("x")])
def test_no_answer(alice: DeviceKey, error: Exception) -> None:
    client = RelayClient(URL, alice, transport=httpx.MockTransport(failing(error)))
    with pytest.raises(RelayUnreachable):
        client.health()
    with pytest.raises(RelayUnreachable):
        client.upload(Upload(method="PUT", url=URL, headers={}, expires_at=TIME), [b"x"], 1)
    with pytest.raises(RelayUnreachable):
        list(client.download(DownloadableSnapshot.model_validate(snapshot_answer(download=DOWNLOAD))))


class CutShort(httpx.SyncByteStream):
    def __iter__(self) -> Iterator[bytes]:
        yield b"{"
        raise httpx.ReadError("cut")


@pytest.mark.parametrize(
    ("date", "retry_after", "seconds"),
    [
        ("Wed, 21 Oct 2026 07:28:00 GMT", "Wed, 21 Oct 2026 07:28:20 GMT", 20),
        ("Wed, 21 Oct 2026 07:28:00 GMT", "Wed, 21 Oct 2026 07:27:00 GMT", 0),
        ("Wed, 21 Oct 2026 07:28:00 GMT", "soon", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", "-7", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", "Wed, 21 Oct +99999999999 07:28:00 GMT", None),
        ("now", "Wed, 21 Oct 2026 07:28:20 GMT", None),
    ],
)
def test_a_gateway_may_say_when_to_come_back_by_a_date(
    relay: Relay, client: RelayClient, date: str, retry_after: str, seconds: int | None
) -> None:
    """RFC 9110 §10.2.3 allows both forms. The clock is that of who wrote it, not ours."""
    relay.status, relay.answer, relay.headers = 503, b"", {"Date": date, "Retry-After": retry_after}
    with pytest.raises(RelayRefused) as caught:
        client.health()
    assert caught.value.retry_after_seconds == seconds


def test_an_answer_that_is_cut_short(alice: DeviceKey) -> None:
    client = RelayClient(URL, alice, transport=httpx.MockTransport(lambda _: httpx.Response(200, stream=CutShort())))
    with pytest.raises(RelayUnreachable):
        client.health()


@pytest.mark.parametrize(
    "url",
    [
        *("", "no url", "/blobs/1", "file:///etc/passwd", "https://", "https://h:port", "http://h/\0", "http://a..b"),
        *("http://relay.example/b", "http://blobs.example/b", "https://user:word@blobs.example/b"),
    ],
)
def test_a_url_that_can_t_be_asked(relay: Relay, client: RelayClient, url: str) -> None:
    with pytest.raises(AnswerInvalid):
        client.upload(Upload(method="PUT", url=url, headers={}, expires_at=TIME), [b"x"], 1)
    answer = snapshot_answer(download={"url": url, "expires_at": TIME})
    with pytest.raises(AnswerInvalid):
        list(client.download(DownloadableSnapshot.model_validate(answer)))
    assert not relay.asked


def test_an_upload_that_the_store_refuses(relay: Relay, client: RelayClient) -> None:
    relay.status, relay.answer = 403, b"<Error>SignatureDoesNotMatch</Error>"
    with pytest.raises(RelayRefused):
        client.upload(Upload(method="PUT", url=URL, headers={}, expires_at=TIME), [b"x"], 1)


def test_a_source_that_fails_during_an_upload(client: RelayClient) -> None:
    def source() -> Iterator[bytes]:
        yield b"x"
        raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        client.upload(Upload(method="PUT", url=URL, headers={}, expires_at=TIME), source(), 2)


# ---------------------------------------------------------------- answers that can't be right


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
