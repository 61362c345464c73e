"""Each operation against a relay of our own making: what it answers well, what it refuses, or nothing at all."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from hashlib import sha256
from typing import TYPE_CHECKING

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
from sync_relay_client.errors import AnswerInvalid, RelayRefused, RelayUnreachable
from tests.client.answers.relay_answers import (
    BLOB,
    BLOB_ID,
    CHAIN,
    DOWNLOAD,
    EPOCH,
    HEAD,
    TIME,
    URL,
    VAULT,
    Relay,
    device_answer,
    failing,
    page_answer,
    pushed_answer,
    snapshot_answer,
    vault_answer,
)

if TYPE_CHECKING:
    from tests.client.conftest import Log

MakeChange = Callable[..., Change]


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
