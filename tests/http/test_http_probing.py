"""What a request tells to whom it should tell nothing: strangers, the unsigned, and who guesses ids (§6)."""

from typing import Any

import pytest

from tests.http.device import Device, uuid_of
from tests.http.world import Vault, World

SHA256 = "A" * 43
CHANGESET = Device.named("founder 1").changeset(1)
EVERY_REQUEST = [
    ("GET", "", None),
    ("DELETE", "", None),
    ("GET", "/devices", None),
    ("DELETE", f"/devices/{Device.named('founder 1').id}", None),
    ("GET", "/changesets", None),
    ("POST", "/changesets", CHANGESET),
    ("POST", "/changesets", b"not JSON"),
    ("GET", "/snapshots", None),
    ("POST", "/snapshots", {"not": "valid"}),
    ("GET", "/snapshots/latest", None),
    ("GET", f"/snapshots/{SHA256}", None),
    ("POST", f"/snapshots/{SHA256}/complete", None),
]


@pytest.fixture(params=["memory", "sqlite"])
def store_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def vault(world: World) -> Vault:
    """A vault with something in it to find out."""
    vault = world.found()
    assert vault.founder == Device.named("founder 1")
    vault.fill(range(3))
    vault.snapshot(b"blob", covers=1)
    return vault


@pytest.mark.parametrize(("method", "below", "body"), EVERY_REQUEST)
def test_an_unknown_vault_and_one_of_others_are_answered_alike_byte_for_byte(
    vault: Vault, method: str, below: str, body: Any
) -> None:
    stranger = vault.world.found().founder
    headers = {"If-Match": f'"{vault.head()["chain"]}"'}
    others = vault.call(method, below, body, by=stranger, headers=headers)
    nowhere = vault.world.call(stranger, method, f"/vaults/{uuid_of('nowhere')}{below}", body, headers=headers)
    assert others.outcome == (404, "vault_not_found")
    assert others == nowhere


@pytest.mark.parametrize(("method", "below", "body"), EVERY_REQUEST)
@pytest.mark.parametrize("signer", [None, Device.named("never registered")], ids=["unsigned", "unknown device"])
def test_who_is_not_known_learns_nothing_about_a_vault(
    vault: Vault, method: str, below: str, body: Any, signer: Device | None
) -> None:
    headers = {"If-Match": '"anything"'}
    there = vault.world.call(signer, method, vault.path + below, body, headers=headers)
    nowhere = vault.world.call(signer, method, f"/vaults/{uuid_of('nowhere')}{below}", body, headers=headers)
    assert there.status == 401
    assert there == nowhere


@pytest.mark.parametrize(("method", "below", "body"), EVERY_REQUEST)
def test_a_forged_signature_of_a_member_learns_nothing_about_a_vault(
    vault: Vault, method: str, below: str, body: Any
) -> None:
    answers = []
    for path in (vault.path, f"/vaults/{uuid_of('nowhere')}"):
        draft = vault.world.draft(vault.founder, method, path + below, body)
        draft.created -= 301
        answers.append(vault.world.send(draft))
    assert answers[0].outcome == (401, "signature_expired")
    assert answers[0] == answers[1]


def test_a_revoked_device_reads_nothing_any_more(vault: Vault) -> None:
    second = vault.join("second")
    vault.revoke(second)
    for method, below, body in EVERY_REQUEST:
        answer = vault.call(method, below, body, by=second, headers={"If-Match": '"anything"'})
        assert answer.outcome == (403, "device_revoked")


def test_nothing_of_another_vault_is_ever_in_an_answer(world: World, vault: Vault) -> None:
    other = world.found()
    for answer in (other.pull(), other.call("GET", "/devices"), other.call("GET", "/snapshots"), other.call("GET")):
        assert answer.status == 200
        assert vault.founder.id not in answer.text
        assert vault.head()["chain"] not in answer.text
    assert other.call("GET", "/snapshots/latest").code == "snapshot_not_found"
