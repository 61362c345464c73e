"""Devices, endorsements, digests and the chain, each against its vectors; and the table of error codes."""

import json
from pathlib import Path
from typing import Any

import pytest
from nacl.signing import SigningKey

from relay_protocol.chain import Head, extend, genesis
from relay_protocol.changeset import Changeset
from relay_protocol.devices import endorse, endorsement_message, is_public_key, thumbprint, verifies
from relay_protocol.encoding import base64url, from_base64url
from relay_protocol.errors import RateLimited, all_errors
from relay_protocol.sealed import into_store

VECTORS = Path(__file__).parents[2] / "schema" / "vectors"
GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493


def load(name: str) -> Any:
    return json.loads((VECTORS / f"{name}.json").read_bytes())


DEVICES, CHAIN, ENDORSEMENTS = load("devices"), load("chain"), load("endorsements")
ALICE = SigningKey(bytes.fromhex(DEVICES["devices"][1]["seed"]))


def test_thumbprints() -> None:
    for one in DEVICES["devices"]:
        public_key = bytes(SigningKey(bytes.fromhex(one["seed"])).verify_key)
        assert base64url(public_key) == one["public_key"]
        assert thumbprint(public_key) == one["device_id"]
        assert is_public_key(public_key)


@pytest.mark.parametrize("key", DEVICES["refused_public_keys"])
def test_refused_public_keys(key: str) -> None:
    """Small and mixed order, not canonical, not on the curve: each would let several keys verify one signature."""
    assert not is_public_key(from_base64url(key))


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_key_of_another_length_is_none(length: int) -> None:
    assert not is_public_key((bytes(ALICE.verify_key) * 2)[:length])


def test_a_malleated_signature_is_refused() -> None:
    """S + L signs the same message under libraries that do not look."""
    public_key, message = bytes(ALICE.verify_key), b"message"
    signature = ALICE.sign(message).signature
    malleated = signature[:32] + (int.from_bytes(signature[32:], "little") + GROUP_ORDER).to_bytes(32, "little")
    assert verifies(public_key, message, signature)
    assert not verifies(public_key, message, malleated)


@pytest.mark.parametrize("length", [0, 63, 65, 128])
def test_a_signature_of_another_length_is_none(length: int) -> None:
    signature = ALICE.sign(b"message").signature
    assert not verifies(bytes(ALICE.verify_key), b"message", (signature * 2)[:length])


@pytest.mark.parametrize("case", ENDORSEMENTS["cases"], ids=["first", "second"])
def test_endorsements(case: dict[str, Any]) -> None:
    keys = {one["device_id"]: one for one in DEVICES["devices"]}
    endorser = SigningKey(bytes.fromhex(keys[case["endorser"]]["seed"]))
    arguments = (case["vault_id"], case["device_id"], case["expires_at"])
    assert endorsement_message(*arguments).hex() == case["message"]
    assert endorse(endorser, *arguments) == {name: case[name] for name in ("endorser", "expires_at", "signature")}
    assert verifies(bytes(endorser.verify_key), bytes.fromhex(case["message"]), from_base64url(case["signature"]))


def test_the_chain() -> None:
    head = genesis(CHAIN["vault_id"])
    assert head.as_json() == {"seq": 0, "chain": CHAIN["genesis"]}
    for link in CHAIN["links"]:
        changeset = Changeset.model_validate(link["changeset"])
        digest = changeset.digest(CHAIN["vault_id"])
        assert base64url(digest) == link["digest"]
        head = extend(head, digest)
        assert head == Head(link["seq"], from_base64url(link["chain"]))


@pytest.mark.parametrize("name", CHAIN["links"][0]["changeset"])
def test_every_field_is_in_the_digest(name: str) -> None:
    original = CHAIN["links"][0]["changeset"]
    other = original | {name: 4 if name == "schema_version" else "00000000-0000-0000-0000-000000000000"}
    digests = {Changeset.model_validate(one).digest(CHAIN["vault_id"]) for one in (original, other)}
    assert len(digests) == 2


def test_the_vault_is_in_the_digest() -> None:
    changeset = Changeset.model_validate(CHAIN["links"][0]["changeset"])
    assert changeset.digest(CHAIN["vault_id"]) != changeset.digest("00000000-0000-0000-0000-000000000000")


def test_a_changeset_is_stored_as_it_came() -> None:
    for link in CHAIN["links"]:
        text, length = Changeset.model_validate(link["changeset"]).json_text()
        assert json.loads(into_store(text)) == link["changeset"]
        assert length == len(into_store(text))


STATUS_OF_CODE = {
    "malformed_request": 400,
    "signature_required": 401,
    "signature_invalid": 401,
    "signature_expired": 401,
    "digest_mismatch": 401,
    "unknown_device": 401,
    "device_revoked": 403,
    "endorsement_required": 403,
    "endorsement_invalid": 403,
    "endorsement_expired": 403,
    "vault_creation_closed": 403,
    "origin_mismatch": 403,
    "vault_not_found": 404,
    "device_not_found": 404,
    "snapshot_not_found": 404,
    "route_not_found": 404,
    "method_not_allowed": 405,
    "changeset_conflict": 409,
    "snapshot_conflict": 409,
    "cursor_ahead": 409,
    "last_device": 409,
    "upload_incomplete": 409,
    "vault_erased": 409,
    "history_pruned": 410,
    "head_moved": 412,
    "body_too_large": 413,
    "unsupported_media_type": 415,
    "invalid_field": 422,
    "covers_mismatch": 422,
    "precondition_required": 428,
    "rate_limited": 429,
    "internal": 500,
    "unavailable": 503,
    "quota_exceeded": 507,
}


def test_the_codes_are_those_of_the_table() -> None:
    assert {kind.code: kind.status for kind in all_errors()} == STATUS_OF_CODE


def test_a_problem_has_the_members_of_rfc_9457() -> None:
    error = RateLimited(7)
    assert error.problem() == {
        "type": "about:blank",
        "title": "Too many requests",
        "status": 429,
        "code": "rate_limited",
    }
    assert error.headers == {"Retry-After": "7"}
