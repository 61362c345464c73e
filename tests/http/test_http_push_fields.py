"""Every field of a changeset, right and wrong in every way (§2, §3): it comes back as sent, or is 400 or 422."""

from typing import Any

import pytest

from relay_protocol.changeset import Changeset
from tests.http.device import Json, uuid_of
from tests.http.documented import Answer
from tests.http.texts import NOT_UTF8, SAMPLES
from tests.http.world import Vault, encode

LENGTHS = {"origin_user": 128, "timestamp": 64, "operation_type": 64, "entity": 128, "entity_id": 128, "key_id": 128}
SEALED = ("nonce", "ciphertext")
TEXTS = ("id", "origin_device", *LENGTHS, *SEALED)
FREE_TEXTS = (*LENGTHS, *SEALED)


@pytest.fixture(params=["memory", "sqlite"])
def store_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _pulled(vault: Vault) -> Json:
    return dict(vault.pull().json["changesets"][-1])


def _pointers(answer: Answer) -> set[str]:
    assert answer.outcome == (422, "invalid_field")
    return {error["pointer"] for error in answer.json["errors"]}


# ---------------------------------------------------------------- text


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("field", FREE_TEXTS)
def test_a_text_comes_back_as_it_came(vault: Vault, field: str, sample: str) -> None:
    changeset = vault.founder.changeset(1, **{field: SAMPLES[sample]})
    assert vault.push(changeset).status == 201
    assert _pulled(vault).items() >= changeset.items()


@pytest.mark.parametrize("field", FREE_TEXTS)
def test_a_text_sent_in_escapes_is_the_same_text(vault: Vault, field: str) -> None:
    body = encode(vault.founder.changeset(1, **{field: "@"})).replace(b'"@"', rb'"\u0000\ud83d\ude00\u2028\u0041\/"')
    assert vault.call("POST", "/changesets", body).status == 201
    assert _pulled(vault)[field] == "\0😀\u2028A/"
    again = vault.founder.changeset(1, **{field: "\0😀\u2028A/"})
    assert vault.push(again).status == 200, "escapes are no other content"


@pytest.mark.parametrize("character", ["a", "é", "\u2028", "😀"])
@pytest.mark.parametrize("field", LENGTHS)
def test_a_length_counts_code_points(vault: Vault, field: str, character: str) -> None:
    longest = character * LENGTHS[field]
    assert _pointers(vault.push(vault.founder.changeset(1, **{field: longest + character}))) == {f"/{field}"}
    assert vault.push(vault.founder.changeset(1, **{field: longest})).status == 201
    assert _pulled(vault)[field] == longest


@pytest.mark.parametrize("field", LENGTHS)
def test_a_text_is_not_empty(vault: Vault, field: str) -> None:
    assert _pointers(vault.push(vault.founder.changeset(1, **{field: ""}))) == {f"/{field}"}


@pytest.mark.parametrize("field", SEALED)
@pytest.mark.parametrize("value", ["", "=", "not base64url!", "x" * 200_000], ids=["empty", "=", "text", "long"])
def test_a_sealed_field_is_any_string(vault: Vault, field: str, value: str) -> None:
    assert vault.push(vault.founder.changeset(1, **{field: value})).status == 201
    assert _pulled(vault)[field] == value


@pytest.mark.parametrize("field", TEXTS)
@pytest.mark.parametrize("surrogate", NOT_UTF8)
def test_a_text_that_utf8_cannot_carry_is_no_json(vault: Vault, field: str, surrogate: bytes) -> None:
    body = encode(vault.founder.changeset(1, **{field: "@"})).replace(b'"@"', b'"' + surrogate + b'"')
    assert vault.call("POST", "/changesets", body, base64=True).outcome == (400, "malformed_request")
    assert vault.head()["seq"] == 0


@pytest.mark.parametrize("surrogate", [rb"\ud800", b"\xed\xa0\x80"])
def test_a_member_name_that_utf8_cannot_carry_is_no_json(vault: Vault, surrogate: bytes) -> None:
    body = b'{"' + surrogate + b'":1,' + encode(vault.founder.changeset(1))[1:]
    assert vault.call("POST", "/changesets", body, base64=True).code == "malformed_request"


@pytest.mark.parametrize("field", TEXTS)
@pytest.mark.parametrize("value", [None, 1, 1.5, True, [], ["a"], {}, {"a": "b"}], ids=repr)
def test_a_text_is_a_string(vault: Vault, field: str, value: Any) -> None:
    assert _pointers(vault.push(vault.founder.changeset(1, **{field: value}))) == {f"/{field}"}


@pytest.mark.parametrize(
    "value",
    [
        "",
        uuid_of("x").upper(),
        uuid_of("x").replace("-", ""),
        uuid_of("x") + "\n",
        " " + uuid_of("x"),
        uuid_of("x")[:-1],
        "g" + uuid_of("x")[1:],
        "٣" * 36,
        f"{{{uuid_of('x')}}}",
    ],
)
def test_an_id_is_a_uuid_in_lower_case(vault: Vault, value: str) -> None:
    assert _pointers(vault.push(vault.founder.changeset(1, id=value))) == {"/id"}


@pytest.mark.parametrize(
    "value", ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"], ids=["nil", "max"]
)
def test_a_uuids_version_and_variant_are_not_judged(vault: Vault, value: str) -> None:
    assert vault.push(vault.founder.changeset(1, id=value)).status == 201


# ---------------------------------------------------------------- schema_version


def _with_version(vault: Vault, number: bytes) -> Answer:
    body = encode(vault.founder.changeset(1)).replace(b'"schema_version":3', b'"schema_version":' + number)
    return vault.call("POST", "/changesets", body)


@pytest.mark.parametrize(("number", "value"), [(b"0", 0), (b"-0", 0), (b"2147483647", 2**31 - 1)])
def test_a_schema_version_comes_back_as_its_number(vault: Vault, number: bytes, value: int) -> None:
    assert _with_version(vault, number).status == 201
    version = _pulled(vault)["schema_version"]
    assert (version, type(version)) == (value, int)


@pytest.mark.parametrize(
    "number",
    [
        b"-1",
        b"2147483648",
        b"4294967296",
        b"9223372036854775808",
        b"18446744073709551616",
        b"1" + b"0" * 30,
        b"1" + b"0" * 5_000,
        b"-" + b"9" * 40,
        b"1.0",
        b"1e2",
        b"1E0",
        b"0.0",
        b"-0.0",
        b"1e400",
        b"-1e400",
        b"1e-400",
        b"true",
        b"false",
        b"null",
        b'"3"',
        b"[3]",
        b"{}",
    ],
)
def test_a_schema_version_is_an_integer_in_its_range(vault: Vault, number: bytes) -> None:
    assert _pointers(_with_version(vault, number)) == {"/schema_version"}


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"03", b"+3", b"0x3", b"3.", b".3", b"1_0", b""])
def test_what_is_no_json_number_is_no_json(vault: Vault, number: bytes) -> None:
    assert _with_version(vault, number).outcome == (400, "malformed_request")


# ---------------------------------------------------------------- members


@pytest.mark.parametrize("field", Changeset.model_fields)
def test_every_field_is_required(vault: Vault, field: str) -> None:
    changeset = vault.founder.changeset(1)
    del changeset[field]
    assert vault.push(changeset).json["errors"] == [{"pointer": f"/{field}", "reason": "required"}]


@pytest.mark.parametrize("name", ["seq", "received_at", "chain", "", "a/b~c", "\0", "Nonce", "__proto__"])
def test_an_unknown_member_is_reported_at_its_parent(vault: Vault, name: str) -> None:
    answer = vault.push(vault.founder.changeset(1) | {name: 1})
    assert answer.json["errors"] == [{"pointer": "", "reason": "an unknown member"}]


def test_an_unknown_member_in_a_batch_is_reported_at_its_changeset(vault: Vault) -> None:
    batch = [vault.founder.changeset(1), vault.founder.changeset(2) | {"unknown": 1}]
    assert _pointers(vault.push(*batch)) == {"/changesets/1"}


def test_a_wrong_field_in_a_batch_is_named_by_its_place(vault: Vault) -> None:
    batch = [vault.founder.changeset(1), vault.founder.changeset(2, entity="")]
    assert _pointers(vault.push(*batch)) == {"/changesets/1/entity"}
    assert vault.head()["seq"] == 0


def test_every_wrong_field_is_named(vault: Vault) -> None:
    wrong = {"id": 1, "entity": "", "schema_version": "3", "nonce": None}
    assert _pointers(vault.push(vault.founder.changeset(1, **wrong))) == {f"/{name}" for name in wrong}


def test_a_long_list_of_errors_is_cut(vault: Vault) -> None:
    answer = vault.push(*({"id": number} for number in range(100)))
    assert answer.status == 422
    assert len(answer.json["errors"]) == 32


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b"null", ""),
        (b"1", ""),
        (b'"text"', ""),
        (b"[]", ""),
        (b"true", ""),
        (b'{"changesets":[]}', "/changesets"),
        (b'{"changesets":{}}', "/changesets"),
        (b'{"changesets":null}', "/changesets"),
        (b'{"changesets":"text"}', "/changesets"),
        (b'{"changesets":[1]}', "/changesets/0"),
        (b'{"changesets":[null]}', "/changesets/0"),
        (b'{"changesets":[[]]}', "/changesets/0"),
    ],
)
def test_a_body_of_another_shape_is_not_valid(vault: Vault, body: bytes, pointer: str) -> None:
    assert _pointers(vault.call("POST", "/changesets", body)) == {pointer}


def test_a_batch_has_no_members_beside_its_changesets(vault: Vault) -> None:
    body = {"changesets": [vault.founder.changeset(1)]} | vault.founder.changeset(2)
    assert _pointers(vault.call("POST", "/changesets", body)) == {""}


def test_no_reason_repeats_what_was_sent(vault: Vault) -> None:
    canary = "canary-5f1c"
    wrong = {name: [canary] for name in Changeset.model_fields} | {canary: canary}
    for answer in (vault.push(wrong), vault.push(wrong, wrong), vault.call("POST", "/changesets", [canary])):
        assert answer.status == 422
        assert canary not in answer.text + str(answer.headers)
