"""The strings of announcements and registrations (§2): taken and refused as those of a changeset are."""

from typing import Any

import pytest

from tests.http.device import Device, Json
from tests.http.texts import NOT_UTF8, SAMPLES
from tests.http.world import Vault, encode

BLOB = b"a sealed snapshot"
MAX_KEY_ID = 128


@pytest.fixture(params=["memory", "sqlite"])
def store_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _members(body: Json) -> dict[str, Any]:
    """Return a JSON object's strings, by the names that lead to them."""
    found = {name: value for name, value in body.items() if isinstance(value, str)}
    inner = {name: _members(value) for name, value in body.items() if isinstance(value, dict)}
    return found | {f"{name}/{below}": value for name, members in inner.items() for below, value in members.items()}


def _announcement(vault: Vault) -> Json:
    return {"sha256": "A" * 43, "size": 1, "key_id": "k1", "schema_version": 3, "covers": vault.head()}


def _registration(vault: Vault) -> Json:
    device = Device.named("newcomer")
    return {"vault_id": vault.id, "public_key": device.public_key, "endorsement": vault.endorsement(device)}


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_snapshots_key_id_comes_back_as_it_came(vault: Vault, sample: str) -> None:
    assert vault.announce(BLOB, key_id=SAMPLES[sample]).json["snapshot"]["key_id"] == SAMPLES[sample]
    (listed,) = vault.call("GET", "/snapshots").json["snapshots"]
    assert listed["key_id"] == SAMPLES[sample]
    assert vault.announce(BLOB, key_id=SAMPLES[sample]).status == 200, "the same text, so the same announcement"


@pytest.mark.parametrize("character", ["a", "é", "\u2028", "😀"])
def test_a_snapshots_key_id_has_as_many_code_points_as_a_changesets(vault: Vault, character: str) -> None:
    refused = vault.announce(BLOB, key_id=character * (MAX_KEY_ID + 1))
    assert refused.json["errors"] == [{"pointer": "/key_id", "reason": "too long"}]
    assert vault.announce(BLOB, key_id=character * MAX_KEY_ID).status == 201


@pytest.mark.parametrize("text", NOT_UTF8)
def test_a_text_that_utf8_cannot_carry_is_no_json_wherever_it_stands(vault: Vault, text: bytes) -> None:
    newcomer = Device.named("newcomer")
    for body, device, path in (
        (_announcement(vault), vault.founder, f"{vault.path}/snapshots"),
        (_registration(vault), newcomer, "/devices"),
    ):
        members = _members(body)
        assert len(members) in {3, 4}
        for name, value in members.items():
            broken = encode(body).replace(encode(value), b'"' + text + b'"', 1)
            answer = vault.world.call(device, "POST", path, broken, base64=True)
            assert answer.outcome == (400, "malformed_request"), name
    info = vault.info()
    assert (info["devices"], info["bytes"]) == (1, 0)
