"""Pairing (§5): who founds a vault, who joins it, who never may again, and in which order that is judged."""

import json
from pathlib import Path
from typing import Any

import pytest

from relay_protocol.chain import genesis
from relay_protocol.encoding import base64url, from_base64url, rfc3339
from tests.http.device import Device, Json, uuid_of
from tests.http.world import Vault, World

REFUSED_KEYS = json.loads((Path(__file__).parents[2] / "schema" / "vectors" / "devices.json").read_text())[
    "refused_public_keys"
]
WEEK_SECONDS = 7 * 24 * 3600
TOKEN = "an operator's token"
GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493

NEWCOMER = Device.named("newcomer")


@pytest.fixture(params=["memory", "sqlite"])
def store_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


# ---------------------------------------------------------------- founding


def test_a_founder_gets_an_empty_vault(world: World) -> None:
    founder = Device.named("founder")
    body = {"vault_id": uuid_of("new"), "public_key": founder.public_key}
    answer = world.call(founder, "POST", "/devices", body)
    assert answer.status == 201
    assert answer.json | {"epoch": ""} == {
        "device_id": founder.id,
        "vault_id": body["vault_id"],
        "epoch": "",
        "public_key": founder.public_key,
        "registered_at": rfc3339(world.relay.now_ms()),
        "head": genesis(body["vault_id"]).as_json(),
    }


def test_a_founder_who_lost_the_answer_gets_the_same_vault_again(vault: Vault) -> None:
    first = vault.call("GET", "/devices").json["devices"][0]["registered_at"]
    vault.world.clock.advance(60)
    again = vault.register(vault.founder)
    assert again.status == 200
    assert again.json["epoch"] == vault.info()["epoch"]
    assert again.json["registered_at"] == first


def test_two_vaults_have_two_epochs(world: World) -> None:
    assert world.found().info()["epoch"] != world.found().info()["epoch"]


def test_a_stranger_cannot_found_a_vault_that_exists(vault: Vault) -> None:
    assert vault.register(NEWCOMER).outcome == (403, "endorsement_required")
    assert vault.info()["devices"] == 1


def test_a_closed_relay_creates_no_vault(world: World) -> None:
    world.configure(vault_creation="closed")
    body = {"vault_id": uuid_of("new"), "public_key": NEWCOMER.public_key}
    assert world.call(NEWCOMER, "POST", "/devices", body).outcome == (403, "vault_creation_closed")


def test_a_closed_relay_still_lets_devices_join(vault: Vault) -> None:
    vault.world.configure(vault_creation="closed")
    assert vault.register(NEWCOMER, vault.endorsement(NEWCOMER)).status == 201


def test_a_closed_relay_still_knows_a_founder(vault: Vault) -> None:
    vault.world.configure(vault_creation="closed")
    assert vault.register(vault.founder).status == 200


def test_a_closed_relay_says_that_a_vault_exists_first(vault: Vault) -> None:
    vault.world.configure(vault_creation="closed")
    assert vault.register(NEWCOMER).code == "endorsement_required"


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (f"Bearer {TOKEN}", 201),
        (f"bearer {TOKEN}", 201),
        (None, 403),
        ("Bearer", 403),
        ("Bearer another token, as long", 403),
        (f"Bearer {TOKEN}x", 403),
        (f"Basic {TOKEN}", 403),
        (TOKEN, 403),
    ],
)
def test_the_operators_token_creates_vaults(world: World, authorization: str | None, status: int) -> None:
    world.configure(vault_creation="token", vault_token=TOKEN)
    headers = {} if authorization is None else {"Authorization": authorization}
    body = {"vault_id": uuid_of("new"), "public_key": NEWCOMER.public_key}
    answer = world.call(NEWCOMER, "POST", "/devices", body, headers=headers)
    assert answer.status == status
    assert answer.code in {None, "vault_creation_closed"}


def test_a_token_that_no_signature_covers_is_refused(world: World) -> None:
    world.configure(vault_creation="token", vault_token=TOKEN)
    body = {"vault_id": uuid_of("new"), "public_key": NEWCOMER.public_key}
    draft = world.draft(NEWCOMER, "POST", "/devices", body)
    draft.after_signing.append(lambda event: event["multiValueHeaders"].update(authorization=[f"Bearer {TOKEN}"]))
    assert world.send(draft).code == "signature_invalid"


def test_joining_needs_no_token(vault: Vault) -> None:
    vault.world.configure(vault_creation="token", vault_token=TOKEN)
    assert vault.register(NEWCOMER, vault.endorsement(NEWCOMER)).status == 201


# ---------------------------------------------------------------- joining


def test_an_endorsed_device_joins_and_learns_the_head(vault: Vault) -> None:
    vault.fill(range(3))
    answer = vault.register(NEWCOMER, vault.endorsement(NEWCOMER))
    assert answer.status == 201
    assert answer.json["head"] == vault.head()
    assert answer.json["epoch"] == vault.info()["epoch"]
    assert vault.pull(by=NEWCOMER).json["cursor"] == 3


def test_a_member_that_was_endorsed_may_endorse(vault: Vault) -> None:
    second = vault.join("second")
    assert vault.register(NEWCOMER, vault.endorsement(NEWCOMER, by=second)).status == 201


def test_a_member_is_known_again_whatever_endorsement_it_brings(vault: Vault) -> None:
    device = vault.join("second")
    garbage = vault.endorsement(NEWCOMER, by=NEWCOMER, ahead_seconds=-99)
    assert vault.register(device, garbage).status == 200
    assert vault.register(device).status == 200


def test_knocking_again_changes_no_registration(vault: Vault) -> None:
    device = vault.join("second")
    before = vault.call("GET", "/devices").json
    vault.world.clock.advance(60)
    vault.register(device, vault.endorsement(device))
    assert vault.call("GET", "/devices").json == before


def test_nobody_joins_a_vault_that_does_not_exist(world: World, vault: Vault) -> None:
    body: Json = {"vault_id": uuid_of("nowhere"), "public_key": NEWCOMER.public_key}
    body["endorsement"] = vault.founder.endorse(body["vault_id"], NEWCOMER.id, world.clock.seconds + 60)
    assert world.call(NEWCOMER, "POST", "/devices", body).outcome == (404, "vault_not_found")


def test_a_closed_relay_says_not_found_to_who_would_join_nothing(world: World, vault: Vault) -> None:
    world.configure(vault_creation="closed")
    body: Json = {"vault_id": uuid_of("nowhere"), "public_key": NEWCOMER.public_key}
    body["endorsement"] = vault.founder.endorse(body["vault_id"], NEWCOMER.id, world.clock.seconds + 60)
    assert world.call(NEWCOMER, "POST", "/devices", body).code == "vault_not_found"


def _for_another_device(vault: Vault) -> Json:
    return vault.endorsement(Device.named("another"))


def _for_another_vault(vault: Vault) -> Json:
    return vault.founder.endorse(uuid_of("another"), NEWCOMER.id, vault.world.clock.seconds + 60)


def _by_a_stranger(vault: Vault) -> Json:
    return vault.endorsement(NEWCOMER, by=vault.world.found().founder)


def _by_itself(vault: Vault) -> Json:
    return vault.endorsement(NEWCOMER, by=NEWCOMER)


def _by_a_revoked_member(vault: Vault) -> Json:
    revoked = vault.join("revoked")
    vault.revoke(revoked)
    return vault.endorsement(NEWCOMER, by=revoked)


def _in_a_members_name(vault: Vault) -> Json:
    return vault.endorsement(NEWCOMER, by=NEWCOMER) | {"endorser": vault.founder.id}


def _with_another_expiry(vault: Vault) -> Json:
    endorsement = vault.endorsement(NEWCOMER)
    return endorsement | {"expires_at": endorsement["expires_at"] + 1}


def _malleated(vault: Vault) -> Json:
    """S + L: the same signature to whoever does not look (RFC 8032 §5.1.7)."""
    endorsement = vault.endorsement(NEWCOMER)
    signature = from_base64url(endorsement["signature"])
    more = int.from_bytes(signature[32:], "little") + GROUP_ORDER
    return endorsement | {"signature": base64url(signature[:32] + more.to_bytes(32, "little"))}


@pytest.mark.parametrize(
    "make",
    [
        _for_another_device,
        _for_another_vault,
        _by_a_stranger,
        _by_itself,
        _by_a_revoked_member,
        _in_a_members_name,
        _with_another_expiry,
        _malleated,
    ],
)
def test_an_endorsement_that_no_member_gave_is_refused(vault: Vault, make: Any) -> None:
    endorsement = make(vault)
    members = vault.info()["devices"]
    assert vault.register(NEWCOMER, endorsement).outcome == (403, "endorsement_invalid")
    assert vault.info()["devices"] == members


@pytest.mark.parametrize(
    ("ahead_seconds", "code"),
    [
        (-1, "endorsement_expired"),
        (0, None),
        (WEEK_SECONDS, None),
        (WEEK_SECONDS + 1, "endorsement_invalid"),
        (-(2**62), "endorsement_expired"),
        (2**62, "endorsement_invalid"),
    ],
)
def test_an_endorsement_is_good_until_it_expires_and_for_a_week_at_most(
    vault: Vault, ahead_seconds: int, code: str | None
) -> None:
    assert vault.register(NEWCOMER, vault.endorsement(NEWCOMER, ahead_seconds=ahead_seconds)).code == code


def test_an_expired_endorsement_by_a_stranger_is_invalid_first(vault: Vault) -> None:
    endorsement = vault.endorsement(NEWCOMER, by=NEWCOMER, ahead_seconds=-99)
    assert vault.register(NEWCOMER, endorsement).code == "endorsement_invalid"


# ---------------------------------------------------------------- who stays out


def test_a_revoked_device_stays_out_whatever_it_brings(vault: Vault) -> None:
    device = vault.join("second")
    vault.revoke(device)
    assert vault.register(device, vault.endorsement(device)).outcome == (403, "device_revoked")
    assert vault.register(device).outcome == (403, "device_revoked")
    assert vault.register(device, vault.endorsement(device, by=device, ahead_seconds=-9)).code == "device_revoked"


def test_a_device_revoked_in_one_vault_may_found_another(vault: Vault) -> None:
    device = vault.join("second")
    vault.revoke(device)
    assert vault.world.found(device).founder == device


def test_an_erased_vaults_id_is_spent(vault: Vault) -> None:
    assert vault.erase().status == 204
    for device in (vault.founder, NEWCOMER):
        assert vault.register(device).outcome == (409, "vault_erased")


def test_an_erased_vault_is_not_found_by_who_would_join_it(vault: Vault) -> None:
    endorsement = vault.endorsement(NEWCOMER)
    vault.erase()
    assert vault.register(NEWCOMER, endorsement).outcome == (404, "vault_not_found")


def test_a_closed_relay_says_first_that_an_id_is_spent(vault: Vault) -> None:
    vault.erase()
    vault.world.configure(vault_creation="closed")
    assert vault.register(NEWCOMER).code == "vault_erased"


@pytest.mark.parametrize("public_key", REFUSED_KEYS)
def test_a_key_of_small_or_mixed_order_is_refused(vault: Vault, public_key: str) -> None:
    body = {"vault_id": uuid_of("new"), "public_key": public_key}
    answer = vault.world.call(NEWCOMER, "POST", "/devices", body)
    assert answer.outcome == (422, "invalid_field")
    assert [error["pointer"] for error in answer.json["errors"]] == ["/public_key"]


def test_max_devices_may_be_members_and_not_one_more(vault: Vault) -> None:
    vault.world.configure(max_devices=3)
    vault.join("second")
    third = vault.join("third")
    refused = vault.register(NEWCOMER, vault.endorsement(NEWCOMER))
    assert refused.outcome == (507, "quota_exceeded")
    assert (refused.json["quota"], refused.json["limit"]) == ("max_devices", 3)
    assert vault.register(third).status == 200, "a retry of what is stored is never refused for a quota"


def test_a_revoked_device_makes_room(vault: Vault) -> None:
    vault.world.configure(max_devices=2)
    vault.revoke(vault.join("second"))
    assert vault.register(NEWCOMER, vault.endorsement(NEWCOMER)).status == 201


def test_a_bad_endorsement_is_told_before_the_quota(vault: Vault) -> None:
    vault.world.configure(max_devices=1)
    assert vault.register(NEWCOMER, _by_itself(vault)).code == "endorsement_invalid"


# ---------------------------------------------------------------- the body


def _sixty_four(text: str) -> str:
    return text * 86


BAD_ENDORSEMENTS: list[tuple[Any, str]] = [
    (None, "/endorsement"),
    ([], "/endorsement"),
    ("endorsement", "/endorsement"),
    ({"endorser": "A" * 42}, "/endorsement/endorser"),
    ({"endorser": "A" * 44}, "/endorsement/endorser"),
    ({"endorser": "+" * 43}, "/endorsement/endorser"),
    ({"endorser": "A" * 43 + "\n"}, "/endorsement/endorser"),
    ({"endorser": 1}, "/endorsement/endorser"),
    ({"signature": _sixty_four("A")[:-1]}, "/endorsement/signature"),
    ({"signature": _sixty_four("A") + "=="}, "/endorsement/signature"),
    ({"signature": _sixty_four("A")[:-1] + "B"}, "/endorsement/signature"),
    ({"signature": ""}, "/endorsement/signature"),
    ({"expires_at": 1.5}, "/endorsement/expires_at"),
    ({"expires_at": True}, "/endorsement/expires_at"),
    ({"expires_at": "1777195800"}, "/endorsement/expires_at"),
    ({"expires_at": 2**63}, "/endorsement/expires_at"),
    ({"expires_at": 10**400}, "/endorsement/expires_at"),
    ({"expires_at": None}, "/endorsement/expires_at"),
    ({"another": 1}, "/endorsement"),
]


@pytest.mark.parametrize(("changes", "pointer"), BAD_ENDORSEMENTS)
def test_an_endorsement_of_the_wrong_shape_is_named(vault: Vault, changes: Any, pointer: str) -> None:
    endorsement = vault.endorsement(NEWCOMER)
    body: dict[str, Any] = {"vault_id": vault.id, "public_key": NEWCOMER.public_key}
    body["endorsement"] = endorsement | changes if isinstance(changes, dict) else changes
    answer = vault.world.call(NEWCOMER, "POST", "/devices", body)
    assert answer.status == 422
    assert {error["pointer"] for error in answer.json["errors"]} == {pointer}


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"vault_id": uuid_of("x").upper()}, "/vault_id"),
        ({"vault_id": uuid_of("x").replace("-", "")}, "/vault_id"),
        ({"vault_id": uuid_of("x") + "\n"}, "/vault_id"),
        ({"vault_id": 7}, "/vault_id"),
        ({"public_key": NEWCOMER.public_key + "="}, "/public_key"),
        ({"public_key": NEWCOMER.public_key[:-1]}, "/public_key"),
        ({"public_key": ""}, "/public_key"),
        ({"public_key": None}, "/public_key"),
        ({"name": "my phone"}, ""),
    ],
)
def test_a_registration_of_the_wrong_shape_is_named(world: World, changes: Json, pointer: str) -> None:
    body = {"vault_id": uuid_of("x"), "public_key": NEWCOMER.public_key} | changes
    answer = world.call(NEWCOMER, "POST", "/devices", body)
    assert answer.status == 422
    assert {error["pointer"] for error in answer.json["errors"]} == {pointer}


@pytest.mark.parametrize("missing", ["vault_id", "public_key"])
def test_a_registration_names_vault_and_key(world: World, missing: str) -> None:
    body = {"vault_id": uuid_of("x"), "public_key": NEWCOMER.public_key}
    del body[missing]
    answer = world.call(NEWCOMER, "POST", "/devices", body)
    assert answer.json["errors"] == [{"pointer": f"/{missing}", "reason": "required"}]


def test_another_devices_key_cannot_be_registered(vault: Vault) -> None:
    thief = Device.named("thief")
    body = {"vault_id": uuid_of("new"), "public_key": NEWCOMER.public_key}
    assert vault.world.call(thief, "POST", "/devices", body).outcome == (401, "signature_invalid")


def test_an_unsigned_registration_is_told_so_before_its_body_is_read(world: World) -> None:
    assert world.call(None, "POST", "/devices", b"{").outcome == (401, "signature_required")
