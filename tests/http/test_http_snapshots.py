"""Snapshots (§7.8): announced, uploaded past the relay, completed; found again by whoever may."""

from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from relay.ports import BlobStat
from relay_protocol.encoding import base64url, rfc3339
from tests.http.device import Device, Json
from tests.http.documented import Answer
from tests.http.world import Vault, World

BLOB = b"a sealed snapshot"
NAME = base64url(sha256(BLOB).digest())


@pytest.fixture(params=["memory", "sqlite"])
def store_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def vault(world: World) -> Vault:
    """A vault whose log has three changesets."""
    vault = world.found()
    vault.fill(range(3))
    return vault


def _get(vault: Vault, below: str = f"/{NAME}", **knobs: Any) -> Answer:
    return vault.call("GET", f"/snapshots{below}", **knobs)


# ---------------------------------------------------------------- announcing


def test_an_announced_snapshot_is_pending_and_can_be_uploaded(vault: Vault) -> None:
    answer = vault.announce(BLOB, covers=2)
    assert answer.status == 201
    assert answer.json["epoch"] == vault.info()["epoch"]
    assert answer.json["snapshot"] == {
        "sha256": NAME,
        "size": len(BLOB),
        "key_id": "k1",
        "schema_version": 3,
        "covers": {"seq": 2, "chain": vault.chain_at(2)},
        "origin_device": vault.founder.id,
        "status": "pending",
        "created_at": rfc3339(vault.world.relay.now_ms()),
    }
    assert vault.world.upload(answer, BLOB)


def test_the_store_takes_only_the_announced_bytes(vault: Vault) -> None:
    answer = vault.announce(BLOB)
    assert not vault.world.upload(answer, BLOB + b"x")
    assert not vault.world.upload(answer, b"x" * len(BLOB))
    assert vault.complete(BLOB).code == "upload_incomplete"


def test_announcing_again_is_no_other_snapshot(vault: Vault) -> None:
    first = vault.announce(BLOB)
    vault.world.clock.advance(60)
    again = vault.announce(BLOB)
    assert again.status == 200
    assert again.json["snapshot"] == first.json["snapshot"]
    assert vault.world.upload(again, BLOB)
    assert vault.complete(BLOB).status == 200


def test_a_companions_announcement_of_the_same_blob_is_the_same(vault: Vault) -> None:
    second = vault.join("second")
    first = vault.announce(BLOB)
    again = vault.announce(BLOB, by=second)
    assert (again.status, again.json["snapshot"]) == (200, first.json["snapshot"])


def test_an_available_snapshot_needs_no_upload(vault: Vault) -> None:
    vault.snapshot(BLOB)
    answer = vault.announce(BLOB)
    assert (answer.status, answer.json["upload"], answer.json["snapshot"]["status"]) == (200, None, "available")


@pytest.mark.parametrize("is_available", [False, True])
@pytest.mark.parametrize("changes", [{"size": 1}, {"key_id": "k2"}, {"schema_version": 4}, {"covers": 1}], ids=str)
def test_one_blob_is_not_announced_in_two_ways(vault: Vault, changes: Json, *, is_available: bool) -> None:
    if is_available:
        vault.snapshot(BLOB)
    else:
        vault.announce(BLOB)
    before = _get(vault).json
    assert vault.announce(BLOB, **changes).outcome == (409, "snapshot_conflict")
    assert _get(vault).json == before


def test_one_blob_may_be_a_snapshot_of_two_vaults(vault: Vault) -> None:
    other = vault.world.found()
    vault.snapshot(BLOB)
    assert other.announce(BLOB).status == 201
    assert other.complete(BLOB).code == "upload_incomplete", "the other vault's upload is not its own"


@pytest.mark.parametrize("covers", [0, 1, 3])
def test_a_snapshot_covers_any_place_of_the_log(vault: Vault, covers: int) -> None:
    assert vault.snapshot(BLOB, covers)["covers"] == {"seq": covers, "chain": vault.chain_at(covers)}


def test_a_snapshot_may_cover_less_than_the_floor(vault: Vault) -> None:
    chain = vault.chain_at(1)
    vault.snapshot(b"first", covers=3)
    vault.world.clock.advance(31 * 24 * 3600)
    assert vault.world.maintain().pruned_changesets == 3
    assert vault.announce(BLOB, covers={"seq": 1, "chain": chain}).status == 201
    assert vault.announce(b"other", covers={"seq": 1, "chain": vault.head()["chain"]}).code == "covers_mismatch"


@pytest.mark.parametrize("seq", [0, 1, 3])
def test_a_chain_that_is_not_the_logs_is_refused(vault: Vault, seq: int) -> None:
    answer = vault.announce(BLOB, covers={"seq": seq, "chain": vault.chain_at(2)})
    assert answer.outcome == (422, "covers_mismatch")
    assert _get(vault).code == "snapshot_not_found"


@pytest.mark.parametrize("seq", [4, 2**62, 2**63 - 1])
def test_a_snapshot_of_what_is_not_there_is_refused_with_the_head(vault: Vault, seq: int) -> None:
    answer = vault.announce(BLOB, covers={"seq": seq, "chain": vault.head()["chain"]})
    assert answer.outcome == (409, "cursor_ahead")
    assert answer.json["head"] == vault.head()


SOME_CHAIN = base64url(bytes(32))


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"sha256": NAME[:-1]}, "/sha256"),
        ({"sha256": NAME + "="}, "/sha256"),
        ({"sha256": "A" * 42 + "B"}, "/sha256"),
        ({"sha256": 1}, "/sha256"),
        ({"size": 0}, "/size"),
        ({"size": -1}, "/size"),
        ({"size": 1.0}, "/size"),
        ({"size": True}, "/size"),
        ({"size": "1"}, "/size"),
        ({"size": 2**63}, "/size"),
        ({"size": 10**400}, "/size"),
        ({"size": None}, "/size"),
        ({"key_id": ""}, "/key_id"),
        ({"key_id": "k" * 129}, "/key_id"),
        ({"schema_version": 2**31}, "/schema_version"),
        ({"schema_version": -1}, "/schema_version"),
        ({"covers": None}, "/covers"),
        ({"covers": []}, "/covers"),
        ({"covers": {"seq": 0}}, "/covers/chain"),
        ({"covers": {"chain": SOME_CHAIN}}, "/covers/seq"),
        ({"covers": {"seq": -1, "chain": SOME_CHAIN}}, "/covers/seq"),
        ({"covers": {"seq": 2**63, "chain": SOME_CHAIN}}, "/covers/seq"),
        ({"covers": {"seq": True, "chain": SOME_CHAIN}}, "/covers/seq"),
        ({"covers": {"seq": 0, "chain": SOME_CHAIN[:-1]}}, "/covers/chain"),
        ({"covers": {"seq": 0, "chain": SOME_CHAIN, "more": 1}}, "/covers"),
        ({"download": "x"}, ""),
    ],
    ids=str,
)
def test_an_announcement_of_the_wrong_shape_is_named(vault: Vault, changes: Json, pointer: str) -> None:
    answer = vault.announce(BLOB, **changes)
    assert answer.outcome == (422, "invalid_field")
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]


@pytest.mark.parametrize("missing", ["sha256", "size", "key_id", "schema_version", "covers"])
def test_every_member_of_an_announcement_is_required(vault: Vault, missing: str) -> None:
    body = {"sha256": NAME, "size": 1, "key_id": "k", "schema_version": 0, "covers": vault.head()}
    del body[missing]
    answer = vault.call("POST", "/snapshots", body)
    assert answer.json["errors"] == [{"pointer": f"/{missing}", "reason": "required"}]


# ---------------------------------------------------------------- limits


def test_max_snapshot_bytes_may_be_announced_and_not_one_more(vault: Vault) -> None:
    vault.world.configure(max_snapshot_bytes=100)
    refused = vault.announce(BLOB, size=101)
    assert refused.outcome == (413, "body_too_large")
    assert refused.json["limit"] == 100
    assert vault.announce(BLOB, size=100).status == 201


def test_max_pending_snapshots_may_wait_and_not_one_more(vault: Vault) -> None:
    vault.world.configure(max_pending_snapshots=2)
    vault.announce(b"one")
    second = vault.announce(b"two")
    refused = vault.announce(b"three")
    assert refused.outcome == (507, "quota_exceeded")
    assert (refused.json["quota"], refused.json["limit"]) == ("max_pending_snapshots", 2)
    assert vault.announce(b"two").status == 200, "a retry of what is stored is never refused for a quota"
    vault.world.upload(second, b"two")
    vault.complete(b"two")
    assert vault.announce(b"three").status == 201, "an available one no longer waits"


def test_an_expired_announcement_makes_room(vault: Vault) -> None:
    vault.world.configure(max_pending_snapshots=1)
    vault.announce(b"one")
    vault.world.clock.advance(3600)
    assert vault.announce(b"two").status == 201


def test_a_snapshot_may_fill_the_vault_and_not_a_byte_more(vault: Vault) -> None:
    room = 500
    vault.world.configure(max_vault_bytes=vault.info()["bytes"] + room)
    refused = vault.announce(BLOB, size=room + 1)
    assert (refused.code, refused.json["quota"]) == ("quota_exceeded", "max_vault_bytes")
    assert vault.announce(BLOB, size=room).status == 201
    assert vault.announce(b"other", size=1).code == "quota_exceeded", "what is announced takes its room"
    assert vault.push(vault.founder.changeset(9)).code == "quota_exceeded"


# ---------------------------------------------------------------- completing


def test_a_completed_snapshot_can_be_downloaded_by_every_member(vault: Vault) -> None:
    second = vault.join("second")
    vault.world.upload(vault.announce(BLOB), BLOB)
    answer = vault.complete(BLOB, by=second)
    assert answer.status == 200
    assert answer.json["snapshot"]["status"] == "available"
    assert answer.json["snapshot"]["origin_device"] == vault.founder.id
    assert vault.world.download(_get(vault, by=second).json["snapshot"]) == BLOB


def test_completing_again_changes_nothing(vault: Vault) -> None:
    vault.snapshot(BLOB)
    first = vault.complete(BLOB)
    assert (first.status, first.json) == (200, vault.complete(BLOB).json)


def test_a_blob_that_is_not_there_yet_is_incomplete(vault: Vault) -> None:
    vault.announce(BLOB)
    assert vault.complete(BLOB).outcome == (409, "upload_incomplete")
    assert _get(vault).json["snapshot"]["status"] == "pending"


@pytest.mark.parametrize(
    "stat",
    [BlobStat(len(BLOB) + 1, sha256(BLOB).digest()), BlobStat(len(BLOB), bytes(32))],
    ids=["another size", "another hash"],
)
def test_a_blob_that_is_not_the_announced_one_is_incomplete(vault: Vault, stat: BlobStat) -> None:
    vault.world.upload(vault.announce(BLOB), BLOB)
    vault.world.blobs.stat = lambda _: stat  # type: ignore[method-assign,assignment] # a store that let other bytes in
    assert vault.complete(BLOB).code == "upload_incomplete"


def test_what_was_never_announced_is_not_found(vault: Vault) -> None:
    assert vault.complete(BLOB).outcome == (404, "snapshot_not_found")
    assert _get(vault).outcome == (404, "snapshot_not_found")


def test_a_hash_whose_last_bits_are_not_zero_names_no_snapshot(vault: Vault) -> None:
    vault.snapshot(BLOB)
    alike = NAME[:-1] + chr(ord(NAME[-1]) + 1)
    assert _get(vault, f"/{alike}").code == "snapshot_not_found"


# ---------------------------------------------------------------- time


def test_an_announcement_is_gone_when_its_time_is_up(vault: Vault) -> None:
    vault.world.upload(vault.announce(BLOB), BLOB)
    vault.world.clock.advance(3599.999)
    assert _get(vault).status == 200
    vault.world.clock.advance(0.001)
    assert _get(vault).code == "snapshot_not_found"
    assert vault.complete(BLOB).code == "snapshot_not_found"
    assert _get(vault, "").json["snapshots"] == []


def test_a_blob_may_be_announced_anew_once_its_time_was_up(vault: Vault) -> None:
    late = vault.announce(BLOB)
    vault.world.clock.advance(3600)
    answer = vault.announce(BLOB, key_id="k2")
    assert (answer.status, answer.json["snapshot"]["key_id"]) == (201, "k2")
    assert answer.json["upload"]["url"] != late.json["upload"]["url"]
    assert vault.complete(BLOB).code == "upload_incomplete"
    assert vault.world.upload(answer, BLOB)
    assert vault.complete(BLOB).status == 200


def test_an_upload_is_good_for_url_ttl_and_no_longer_than_its_announcement(vault: Vault) -> None:
    now_ms = vault.world.relay.now_ms()
    assert vault.announce(BLOB).json["upload"]["expires_at"] == rfc3339(now_ms + 900_000)
    vault.world.clock.advance(3000)
    assert vault.announce(BLOB).json["upload"]["expires_at"] == rfc3339(now_ms + 3_600_000)


def test_an_upload_ttl_shorter_than_the_urls_ends_it(vault: Vault) -> None:
    vault.world.configure(upload_ttl_seconds=100)
    answer = vault.announce(BLOB)
    assert answer.json["upload"]["expires_at"] == rfc3339(vault.world.relay.now_ms() + 100_000)


def test_a_download_is_good_for_url_ttl_and_can_be_had_anew(vault: Vault) -> None:
    vault.snapshot(BLOB)
    vault.world.clock.advance(10_000)
    found = _get(vault).json["snapshot"]
    assert found["download"]["expires_at"] == rfc3339(vault.world.relay.now_ms() + 900_000)
    vault.world.clock.advance(900)
    assert vault.world.download(found) is None
    assert vault.world.download(_get(vault).json["snapshot"]) == BLOB


# ---------------------------------------------------------------- finding


def test_a_pending_snapshot_is_shown_without_download(vault: Vault) -> None:
    vault.announce(BLOB)
    answer = _get(vault)
    assert answer.status == 200
    assert "download" not in answer.json["snapshot"]


def test_there_is_no_latest_before_one_is_available(vault: Vault) -> None:
    assert _get(vault, "/latest").outcome == (404, "snapshot_not_found")
    vault.announce(BLOB)
    assert _get(vault, "/latest").outcome == (404, "snapshot_not_found")
    assert vault.info()["snapshot"] is None


def test_the_latest_is_the_one_that_covers_most_not_the_newest(vault: Vault) -> None:
    most = vault.snapshot(b"most", covers=3)
    vault.world.clock.advance(1)
    vault.snapshot(b"newest", covers=1)
    latest = _get(vault, "/latest").json["snapshot"]
    assert latest["sha256"] == most["sha256"] == vault.info()["snapshot"]["sha256"]
    assert vault.world.download(latest) == b"most"


def test_among_equals_the_newest_is_the_latest(vault: Vault) -> None:
    vault.snapshot(b"first", covers=2)
    vault.world.clock.advance(1)
    second = vault.snapshot(b"second", covers=2)
    assert _get(vault, "/latest").json["snapshot"]["sha256"] == second["sha256"]


def test_the_list_holds_all_newest_first_without_download(vault: Vault) -> None:
    for blob in (b"one", b"two", b"three"):
        vault.snapshot(blob, covers=1)
        vault.world.clock.advance(1)
    vault.announce(b"pending")
    listed = _get(vault, "").json["snapshots"]
    blobs = (b"pending", b"three", b"two", b"one")
    assert [one["sha256"] for one in listed] == [base64url(sha256(blob).digest()) for blob in blobs]
    assert [one["status"] for one in listed] == ["pending", "available", "available", "available"]


def test_a_vault_without_snapshots_has_an_empty_list(vault: Vault) -> None:
    assert _get(vault, "").json == {"epoch": vault.info()["epoch"], "snapshots": []}


# ---------------------------------------------------------------- where the client finds the store


@pytest.mark.parametrize(
    ("stage", "headers", "base"),
    [
        ("", {}, "http://relay.example"),
        ("/prod", {}, "http://relay.example/prod"),
        ("/a/b", {"X-Forwarded-Proto": "https"}, "https://relay.example/a/b"),
    ],
)
def test_urls_begin_where_the_client_sent_its_request(vault: Vault, stage: str, headers: Json, base: str) -> None:
    vault.snapshot(BLOB)
    found = _get(vault, stage=stage, headers=headers).json["snapshot"]
    assert found["download"]["url"].startswith(f"{base}/blobs/")


def test_urls_begin_with_the_public_url_where_there_is_one(vault: Vault) -> None:
    vault.snapshot(BLOB)
    vault.world.configure(public_url="https://sync.example/base")
    draft = vault.world.draft(vault.founder, "GET", f"{vault.path}/snapshots/{NAME}", stage="/base")
    signed_for_public = replace(draft, headers={"Host": "sync.example"})
    found = vault.world.send(signed_for_public).json["snapshot"]
    assert found["download"]["url"].startswith("https://sync.example/base/blobs/")


def test_a_revoked_device_finds_no_snapshot(vault: Vault) -> None:
    second: Device = vault.join("second")
    vault.snapshot(BLOB)
    vault.revoke(second)
    for below in ("", "/latest", f"/{NAME}"):
        assert _get(vault, below, by=second).code == "device_revoked"
