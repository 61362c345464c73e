"""Devices (§7.3, §7.4): whom one may know of, the vault's list, and revocation for ever."""

import pytest

from relay_protocol.encoding import rfc3339
from tests.http.device import Device, Json
from tests.http.documented import Answer
from tests.http.world import Vault, World

UNKNOWN_ID = "A" * 43


@pytest.fixture(params=["memory", "sqlite"])
def store_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _device(vault: Vault, device_id: str, by: Device | None = None) -> Answer:
    return vault.world.call(by or vault.founder, "GET", f"/devices/{device_id}")


def _list(vault: Vault, by: Device | None = None) -> list[Json]:
    answer = vault.call("GET", "/devices", by=by)
    assert answer.status == 200
    return list(answer.json["devices"])


# ---------------------------------------------------------------- one device


def test_a_device_sees_itself(vault: Vault) -> None:
    assert _device(vault, vault.founder.id).json == {
        "device_id": vault.founder.id,
        "public_key": vault.founder.public_key,
        "algorithm": "ed25519",
        "registered_at": rfc3339(vault.world.relay.now_ms()),
    }


def test_members_see_each_other(vault: Vault) -> None:
    second = vault.join("second")
    assert _device(vault, second.id).json["public_key"] == second.public_key
    assert _device(vault, vault.founder.id, by=second).status == 200


def test_a_member_sees_who_was_revoked(vault: Vault) -> None:
    second = vault.join("second")
    vault.revoke(second)
    assert _device(vault, second.id).status == 200


def test_a_revoked_device_sees_itself_and_no_one_else(vault: Vault) -> None:
    second = vault.join("second")
    vault.revoke(second)
    assert _device(vault, second.id, by=second).status == 200
    assert _device(vault, vault.founder.id, by=second).outcome == (404, "device_not_found")


def test_strangers_and_unknown_devices_look_alike(vault: Vault) -> None:
    stranger = vault.world.found().founder
    seen, unseen = _device(vault, stranger.id), _device(vault, UNKNOWN_ID)
    assert seen.outcome == (404, "device_not_found")
    assert seen == unseen


def test_a_friends_friend_is_a_stranger(world: World) -> None:
    first, second = world.found(), world.found()
    common = Device.named("common")
    for vault in (first, second):
        vault.register(common, vault.endorsement(common))
    assert _device(first, second.founder.id).code == "device_not_found"
    assert _device(first, second.founder.id, by=common).status == 200


def test_one_live_vault_in_common_is_enough(world: World) -> None:
    first, second = world.found(), world.found()
    both = Device.named("both")
    for vault in (first, second):
        vault.register(both, vault.endorsement(both))
    first.revoke(both)
    assert _device(first, first.founder.id, by=both).code == "device_not_found"
    assert _device(second, second.founder.id, by=both).status == 200


def test_a_device_was_registered_when_it_first_was(world: World) -> None:
    device = Device.named("of two vaults")
    earlier = world.found(device)
    first = rfc3339(world.relay.now_ms())
    world.clock.advance(60)
    later = world.found(device)
    assert _device(later, device.id, by=device).json["registered_at"] == first
    earlier.erase()
    assert _device(later, device.id, by=device).json["registered_at"] == rfc3339(world.relay.now_ms())


def test_a_companion_of_an_erased_vault_is_a_stranger(world: World) -> None:
    vault = world.found()
    second = vault.join("second")
    for device in (vault.founder, second):
        world.found(device)
    vault.erase()
    assert _device(vault, second.id).code == "device_not_found"


@pytest.mark.parametrize("device_id", ["A" * 42, "A" * 44, "A" * 42 + "+", "A" * 42 + "=", "", "%41" * 43])
def test_an_id_of_another_form_is_no_route(vault: Vault, device_id: str) -> None:
    assert _device(vault, device_id).outcome == (404, "route_not_found")


# ---------------------------------------------------------------- the vault's list


def test_the_list_is_in_order_of_registration(vault: Vault) -> None:
    joined = [vault.founder]
    for name in ("zoe", "adam", "mia"):
        vault.world.clock.advance(1)
        joined.append(vault.join(name))
    vault.revoke(joined[1])
    assert [one["device_id"] for one in _list(vault)] == [device.id for device in joined]


def test_devices_of_one_moment_are_in_order_of_registration_too(vault: Vault) -> None:
    joined = [vault.founder, *(vault.join(name) for name in ("zoe", "adam", "mia", "bob", "eve"))]
    assert [one["device_id"] for one in _list(vault)] == [device.id for device in joined]


def test_the_list_shows_by_whose_word_a_device_joined(vault: Vault) -> None:
    second = Device.named("second")
    endorsement = vault.endorsement(second)
    vault.register(second, endorsement)
    now = rfc3339(vault.world.relay.now_ms())
    common = {"registered_at": now, "revoked_at": None}
    assert _list(vault, by=second) == [
        common | {"device_id": vault.founder.id, "public_key": vault.founder.public_key, "endorsement": None},
        common | {"device_id": second.id, "public_key": second.public_key, "endorsement": endorsement},
    ]


# ---------------------------------------------------------------- revocation


def test_any_member_may_revoke_any_other_the_founder_too(vault: Vault) -> None:
    second = vault.join("second")
    vault.world.clock.advance(60)
    assert vault.revoke(vault.founder, by=second).status == 204
    assert _list(vault, by=second)[0]["revoked_at"] == rfc3339(vault.world.relay.now_ms())
    assert vault.pull().outcome == (403, "device_revoked")


def test_a_device_may_revoke_itself(vault: Vault) -> None:
    second = vault.join("second")
    assert vault.revoke(second, by=second).status == 204
    assert vault.revoke(second, by=second).outcome == (403, "device_revoked")


def test_revoking_again_keeps_the_first_time(vault: Vault) -> None:
    second = vault.join("second")
    vault.revoke(second)
    before = _list(vault)
    vault.world.clock.advance(60)
    assert vault.revoke(second).status == 204
    assert _list(vault) == before


def test_the_last_member_cannot_be_revoked(vault: Vault) -> None:
    second = vault.join("second")
    vault.revoke(second)
    assert vault.revoke(vault.founder).outcome == (409, "last_device")
    assert vault.info()["devices"] == 1
    assert vault.revoke(second).status == 204, "who was revoked before is not the last member"


def test_who_was_never_in_the_vault_cannot_be_revoked_from_it(vault: Vault) -> None:
    elsewhere = vault.world.found().founder
    for device_id in (UNKNOWN_ID, elsewhere.id):
        assert vault.call("DELETE", f"/devices/{device_id}").outcome == (404, "device_not_found")


def test_a_revoked_device_revokes_no_one(vault: Vault) -> None:
    second, third = vault.join("second"), vault.join("third")
    vault.revoke(second)
    assert vault.revoke(third, by=second).outcome == (403, "device_revoked")
    assert vault.info()["devices"] == 2


def test_a_stranger_revokes_no_one(vault: Vault) -> None:
    stranger = vault.world.found().founder
    assert vault.revoke(vault.founder, by=stranger).outcome == (404, "vault_not_found")


def test_a_device_revoked_in_one_vault_is_a_member_of_the_other(world: World) -> None:
    device = Device.named("of two vaults")
    first, second = world.found(), world.found(device)
    first.register(device, first.endorsement(device))
    first.revoke(device)
    assert second.push(device.changeset(1)).status == 201


def test_what_a_revoked_device_pushed_stays(vault: Vault) -> None:
    second = vault.join("second")
    changeset = second.changeset(1)
    vault.push(changeset, by=second)
    vault.revoke(second)
    assert vault.pull().json["changesets"][0]["id"] == changeset["id"]
