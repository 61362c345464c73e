"""Push (§7.6): all or nothing, in order, each changeset once, and only onto the head that was asked for."""

from typing import Any

import pytest

from relay_protocol.chain import Head, extend, genesis
from relay_protocol.changeset import Changeset
from relay_protocol.encoding import base64url, rfc3339
from tests.http.device import Device, Json
from tests.http.world import Vault


@pytest.fixture(params=["memory", "sqlite"])
def store_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _seqs(answer: Any) -> list[int]:
    return [receipt["seq"] for receipt in answer.json["receipts"]]


def _statuses(answer: Any) -> list[str]:
    return [receipt["status"] for receipt in answer.json["receipts"]]


# ---------------------------------------------------------------- what is stored


def test_a_pushed_changeset_is_the_head(vault: Vault) -> None:
    changeset = vault.founder.changeset(1)
    answer = vault.push(changeset)
    head = extend(genesis(vault.id), Changeset.model_validate(changeset).digest(vault.id))
    assert answer.status == 201
    assert answer.json["head"] == head.as_json() == vault.head()
    assert answer.json["epoch"] == vault.info()["epoch"]
    assert answer.json["receipts"] == [
        {
            "id": changeset["id"],
            "seq": 1,
            "received_at": rfc3339(vault.world.relay.now_ms()),
            "chain": base64url(head.chain),
            "status": "created",
        }
    ]


def test_a_pushed_changeset_is_pulled_as_it_came(vault: Vault) -> None:
    changeset = vault.founder.changeset(1)
    receipt = vault.push(changeset).json["receipts"][0]
    assert vault.pull().json["changesets"] == [
        {name: receipt[name] for name in ("seq", "received_at", "chain")} | changeset
    ]


def test_a_batch_is_stored_in_its_order(vault: Vault) -> None:
    batch = [vault.founder.changeset(number) for number in (3, 1, 2)]
    answer = vault.push(*batch)
    assert answer.status == 201
    assert _seqs(answer) == [1, 2, 3]
    assert [one["id"] for one in vault.pull().json["changesets"]] == [one["id"] for one in batch]


def test_every_receipts_chain_extends_the_one_before(vault: Vault) -> None:
    batch = [vault.founder.changeset(number) for number in range(5)]
    chains = [receipt["chain"] for receipt in vault.push(*batch).json["receipts"]]
    head: Head = genesis(vault.id)
    for changeset, chain in zip(batch, chains, strict=True):
        head = extend(head, Changeset.model_validate(changeset).digest(vault.id))
        assert base64url(head.chain) == chain


def test_a_batch_of_one_is_a_batch(vault: Vault) -> None:
    answer = vault.call("POST", "/changesets", {"changesets": [vault.founder.changeset(1)]})
    assert (answer.status, _seqs(answer)) == (201, [1])


def test_members_push_into_one_log(vault: Vault) -> None:
    second = vault.join("second")
    for number, device in enumerate((vault.founder, second, vault.founder), start=1):
        assert _seqs(vault.push(device.changeset(number), by=device)) == [number]


def test_one_id_may_stand_in_two_vaults(vault: Vault) -> None:
    other = vault.world.found(vault.founder)
    changeset = vault.founder.changeset(1)
    assert vault.push(changeset).status == other.push(changeset).status == 201
    assert vault.head()["chain"] != other.head()["chain"]


# ---------------------------------------------------------------- duplicates


def test_what_is_sent_again_gets_its_first_receipt(vault: Vault) -> None:
    changeset = vault.founder.changeset(1)
    first = vault.push(changeset).json["receipts"][0]
    vault.world.clock.advance(60)
    again = vault.push(changeset)
    assert again.status == 200
    assert again.json["receipts"] == [first | {"status": "duplicate"}]
    assert again.json["head"]["seq"] == 1


def test_new_and_known_changesets_mix_in_one_request(vault: Vault) -> None:
    vault.fill([1, 2])
    answer = vault.push(*(vault.founder.changeset(number) for number in (2, 3, 1, 4)))
    assert answer.status == 201
    assert _seqs(answer) == [2, 3, 1, 4]
    assert _statuses(answer) == ["duplicate", "created", "duplicate", "created"]
    assert answer.json["head"] == vault.head()


def test_a_batch_of_duplicates_stores_nothing(vault: Vault) -> None:
    pushed = vault.fill(range(3))
    before = vault.info()
    answer = vault.push(*pushed)
    assert (answer.status, _statuses(answer)) == (200, ["duplicate"] * 3)
    assert vault.info() == before


def test_a_pruned_changeset_is_still_a_duplicate(vault: Vault) -> None:
    pushed = vault.fill(range(3))
    receipts = vault.push(*pushed).json["receipts"]
    vault.snapshot(b"blob", covers=3)
    vault.world.clock.advance(31 * 24 * 3600)
    assert vault.world.maintain().pruned_changesets == 3
    answer = vault.push(*pushed)
    assert (answer.status, answer.json["receipts"]) == (200, receipts)


def test_a_pruned_id_is_still_taken(vault: Vault) -> None:
    changeset = vault.fill([1])[0]
    vault.snapshot(b"blob", covers=1)
    vault.world.clock.advance(31 * 24 * 3600)
    vault.world.maintain()
    assert vault.push(changeset | {"entity": "other"}).code == "changeset_conflict"


def test_one_id_twice_in_a_request_is_refused(vault: Vault) -> None:
    changeset = vault.founder.changeset(1)
    answer = vault.push(changeset, vault.founder.changeset(2), changeset)
    assert answer.outcome == (422, "invalid_field")
    assert [error["pointer"] for error in answer.json["errors"]] == ["/changesets/2/id"]
    assert vault.head()["seq"] == 0


# ---------------------------------------------------------------- conflicts


@pytest.mark.parametrize(
    "changes",
    [
        {"origin_user": "other"},
        {"timestamp": "other"},
        {"operation_type": "other"},
        {"entity": "other"},
        {"entity_id": "other"},
        {"schema_version": 4},
        {"key_id": "other"},
        {"nonce": "other"},
        {"ciphertext": "other"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_an_id_taken_by_another_content_is_a_conflict(vault: Vault, changes: Json) -> None:
    changeset = vault.fill([1])[0]
    answer = vault.push(changeset | changes)
    assert answer.outcome == (409, "changeset_conflict")
    assert answer.json["ids"] == [changeset["id"]]


def test_an_id_taken_by_another_device_is_a_conflict(vault: Vault) -> None:
    vault.fill([1])
    second = vault.join("second")
    assert vault.push(second.changeset(1), by=second).code == "changeset_conflict"


def test_a_conflict_in_the_middle_of_a_batch_stores_nothing(vault: Vault) -> None:
    vault.fill([1, 2])
    before = vault.info()
    taken = [vault.founder.changeset(number, entity="other") for number in (2, 1)]
    answer = vault.push(vault.founder.changeset(3), *taken, vault.founder.changeset(4))
    assert answer.json["ids"] == [one["id"] for one in taken]
    assert vault.info() == before
    assert vault.push(vault.founder.changeset(3), vault.founder.changeset(4)).status == 201


# ---------------------------------------------------------------- whose it is


@pytest.mark.parametrize("origin", ["", "another", "\0\u2028😀", "x" * 10_000])
def test_an_origin_that_is_not_the_signer_is_refused_whatever_it_says(vault: Vault, origin: str) -> None:
    answer = vault.push(vault.founder.changeset(1, origin_device=origin))
    assert answer.outcome == (403, "origin_mismatch")


def test_nobody_pushes_in_a_companions_name(vault: Vault) -> None:
    second = vault.join("second")
    batch = [vault.founder.changeset(1), second.changeset(2)]
    assert vault.push(*batch).code == "origin_mismatch"
    assert vault.head()["seq"] == 0


def test_a_revoked_device_pushes_nothing(vault: Vault) -> None:
    second = vault.join("second")
    vault.revoke(second)
    assert vault.push(second.changeset(1), by=second).outcome == (403, "device_revoked")


# ---------------------------------------------------------------- If-Match


def _if_match(chain: str) -> Json:
    return {"headers": {"If-Match": f'"{chain}"'}}


def test_a_push_onto_the_head_it_names_is_stored(vault: Vault) -> None:
    assert vault.push(vault.founder.changeset(1), **_if_match(vault.chain_at(0))).status == 201
    assert vault.push(vault.founder.changeset(2), **_if_match(vault.head()["chain"])).status == 201


def test_a_push_onto_a_head_that_moved_is_refused_with_the_head(vault: Vault) -> None:
    vault.fill([1, 2])
    answer = vault.push(vault.founder.changeset(3), **_if_match(vault.chain_at(1)))
    assert answer.outcome == (412, "head_moved")
    assert answer.json["head"] == vault.head()
    assert vault.head()["seq"] == 2


@pytest.mark.parametrize("tag", ["", "AAAA", "A" * 43, "B" * 43, "!#~"])
def test_a_tag_that_is_no_chain_matches_no_head(vault: Vault, tag: str) -> None:
    assert vault.push(vault.founder.changeset(1), **_if_match(tag)).outcome == (412, "head_moved")


@pytest.mark.parametrize("field", ["*", 'W/"{}"', '"{}", "{}"', "{}", '"{}', '"', '"{}"x', '"a"b"', '"a b"', ""])
@pytest.mark.parametrize("is_duplicate", [False, True])
def test_an_if_match_other_than_one_strong_tag_is_malformed(vault: Vault, field: str, *, is_duplicate: bool) -> None:
    changeset = vault.founder.changeset(1)
    if is_duplicate:
        vault.push(changeset)
    chain = vault.head()["chain"]
    answer = vault.push(changeset, headers={"If-Match": field.replace("{}", chain)})
    assert answer.outcome == (400, "malformed_request")


def test_duplicates_are_told_whatever_head_they_name(vault: Vault) -> None:
    pushed = vault.fill([1, 2])
    assert vault.push(*pushed, **_if_match(vault.chain_at(0))).status == 200


def test_one_new_changeset_among_duplicates_needs_the_head(vault: Vault) -> None:
    pushed = vault.fill([1, 2])
    answer = vault.push(*pushed, vault.founder.changeset(3), **_if_match(vault.chain_at(1)))
    assert answer.code == "head_moved"
    assert vault.head()["seq"] == 2


# ---------------------------------------------------------------- limits


def test_max_batch_is_taken_and_one_more_is_not(vault: Vault) -> None:
    vault.world.configure(max_batch=3)
    batch = [vault.founder.changeset(number) for number in range(4)]
    refused = vault.push(*batch)
    assert refused.json["errors"] == [{"pointer": "/changesets", "reason": "too long"}]
    assert vault.push(*batch[:3]).status == 201


def test_the_default_batch_is_a_hundred(vault: Vault) -> None:
    batch = [vault.founder.changeset(number) for number in range(101)]
    assert vault.push(*batch).code == "invalid_field"
    assert vault.push(*batch[:100]).status == 201


def test_a_vault_takes_max_vault_bytes_and_not_one_more(vault: Vault) -> None:
    vault.fill([1])
    size = vault.info()["bytes"]
    vault.world.configure(max_vault_bytes=2 * size)
    refused = vault.push(vault.founder.changeset(2, ciphertext="sealed-22"))
    assert refused.outcome == (507, "quota_exceeded")
    assert (refused.json["quota"], refused.json["limit"]) == ("max_vault_bytes", 2 * size)
    assert vault.push(vault.founder.changeset(2)).status == 201
    assert vault.info()["bytes"] == 2 * size


def test_a_batch_over_the_quota_stores_nothing(vault: Vault) -> None:
    vault.fill([1])
    vault.world.configure(max_vault_bytes=2 * vault.info()["bytes"])
    assert vault.push(vault.founder.changeset(2), vault.founder.changeset(3)).code == "quota_exceeded"
    assert vault.head()["seq"] == 1


def test_a_full_vault_still_knows_what_it_has(vault: Vault) -> None:
    pushed = vault.fill([1, 2])
    vault.world.configure(max_vault_bytes=1)
    assert vault.push(*pushed).status == 200
    assert vault.pull().json["cursor"] == 2
    assert vault.push(*pushed, vault.founder.changeset(3)).code == "quota_exceeded"


# ---------------------------------------------------------------- the snapshot hint


@pytest.mark.parametrize(("uncovered", "hint"), [(999, None), (1_000, "low"), (4_999, "low"), (5_000, "high")])
def test_a_long_uncovered_log_asks_for_a_snapshot(vault: Vault, uncovered: int, hint: str | None) -> None:
    vault.world.configure(max_batch=5_000)
    first = vault.founder.changeset(0)
    vault.push(first, *(vault.founder.changeset(number) for number in range(1, uncovered - 1)))
    answer = vault.push(vault.founder.changeset("the last"))
    assert answer.headers.get("sync-relay-snapshot") == hint
    assert vault.push(first).headers.get("sync-relay-snapshot") == hint, "a retry is asked, too"


def test_only_an_available_snapshot_stills_the_hint(vault: Vault) -> None:
    vault.world.configure(max_batch=1_001)
    vault.push(*(vault.founder.changeset(number) for number in range(1_000)))
    announced = vault.announce(b"blob", covers=2)
    assert vault.push(vault.founder.changeset(0)).headers["sync-relay-snapshot"] == "low"
    vault.world.upload(announced, b"blob")
    vault.complete(b"blob")
    assert "sync-relay-snapshot" not in vault.push(vault.founder.changeset("one more")).headers


def test_a_device_that_joined_late_pushes_after_all_others(vault: Vault) -> None:
    vault.fill(range(3))
    late = Device.named("late")
    vault.register(late, vault.endorsement(late))
    assert _seqs(vault.push(late.changeset("late"), by=late)) == [4]
