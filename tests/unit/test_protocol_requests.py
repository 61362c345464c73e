"""What bodies are taken and what is said of those that are not: a pointer and a reason, never a value."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_protocol.errors import InvalidField, MalformedRequest, RelayError
from relay_protocol.requests import MAX_REPORTED_ERRORS, Announcement, Registration, parse, parse_push
from relay_protocol.sealed import into_hash

VECTORS = Path(__file__).parents[2] / "schema" / "vectors"
DEVICES: dict[str, Any] = json.loads((VECTORS / "devices.json").read_bytes())
KEY = DEVICES["devices"][1]["public_key"]
UUID = "0b5f3c1e-8f0a-4d57-9d0c-3c6a1a5f2e77"
CANARY = "canary"

CHANGESET: dict[str, Any] = {
    "id": UUID,
    "origin_device": "d",
    "origin_user": "u",
    "timestamp": "t",
    "operation_type": "o",
    "entity": "e",
    "entity_id": "i",
    "schema_version": 3,
    "key_id": "k",
    "nonce": "n",
    "ciphertext": "c",
}
ENDORSEMENT = {"endorser": "A" * 43, "expires_at": 1_800_000_000, "signature": "A" * 86}
REGISTRATION = {"vault_id": UUID, "public_key": KEY, "endorsement": ENDORSEMENT}
ANNOUNCEMENT = {
    "sha256": "A" * 43,
    "size": 1,
    "key_id": "k",
    "schema_version": 0,
    "covers": {"seq": 0, "chain": "A" * 43},
}
LIMITS = {
    "origin_user": 128,
    "timestamp": 64,
    "operation_type": 64,
    "entity": 128,
    "entity_id": 128,
    "key_id": 128,
}


def push(value: object, max_batch: int = 100) -> Any:
    return parse_push(json.dumps(value).encode(), max_batch)


def refused(run: Callable[[], object]) -> list[tuple[str, str]]:
    """Run what must raise InvalidField; return pointers and reasons, having seen that no value is among them."""
    with pytest.raises(InvalidField) as caught:
        run()
    assert CANARY not in json.dumps(caught.value.problem())
    assert caught.value.__cause__ is None
    return [(one["pointer"], one["reason"]) for one in caught.value.members["errors"]]


def parse_registration(**other: Any) -> Registration:
    return parse(Registration, json.dumps(REGISTRATION | other).encode())


def parse_announcement(**other: Any) -> Announcement:
    return parse(Announcement, json.dumps(ANNOUNCEMENT | other).encode())


# ---------------------------------------------------------------- changesets


def test_one_changeset_and_a_batch_of_one_are_the_same() -> None:
    (alone,), (listed,) = push(CHANGESET), push({"changesets": [CHANGESET]})
    assert alone.digest(UUID) == listed.digest(UUID)


@pytest.mark.parametrize("name", CHANGESET)
def test_every_field_is_required(name: str) -> None:
    rest = {key: value for key, value in CHANGESET.items() if key != name}
    assert refused(lambda: push(rest)) == [(f"/{name}", "required")]
    assert refused(lambda: push({"changesets": [rest]})) == [(f"/changesets/0/{name}", "required")]


@pytest.mark.parametrize("value", [None, 1, 1.5, True, [], {}, ["canary"]])
@pytest.mark.parametrize("name", sorted(CHANGESET.keys() - {"schema_version"}))
def test_a_text_field_that_is_no_string(name: str, value: object) -> None:
    assert refused(lambda: push(CHANGESET | {name: value})) == [(f"/{name}", "not a string")]


@pytest.mark.parametrize("name", LIMITS)
def test_lengths_at_the_limit_and_one_past_it(name: str) -> None:
    limit = LIMITS[name]
    for text in ("x" * limit, "💶" * limit, "x"):
        assert getattr(push(CHANGESET | {name: text})[0], name) == text
    assert refused(lambda: push(CHANGESET | {name: "x" * (limit + 1)})) == [(f"/{name}", "too long")]
    assert refused(lambda: push(CHANGESET | {name: ""})) == [(f"/{name}", "too short")]


@pytest.mark.parametrize("text", ["\0", "\u2028", "😀", " x ", "e\u0301", "\ufeff"])
@pytest.mark.parametrize("name", LIMITS)
def test_text_is_neither_normalised_nor_trimmed(name: str, text: str) -> None:
    assert getattr(push(CHANGESET | {name: text})[0], name) == text


@pytest.mark.parametrize("name", sorted(CHANGESET.keys() - {"schema_version"}))
def test_a_lone_surrogate_is_no_json(name: str) -> None:
    with pytest.raises(MalformedRequest):
        push(CHANGESET | {name: "\ud800"})


@pytest.mark.parametrize("text", ["", "not base64!", "\0", "💶" * 1000])
@pytest.mark.parametrize("name", ["nonce", "ciphertext"])
def test_sealed_fields_take_any_string(name: str, text: str) -> None:
    assert into_hash(getattr(push(CHANGESET | {name: text})[0], name)) == text.encode()


@pytest.mark.parametrize("number", [0, 2**31 - 1])
def test_schema_versions_at_the_limits(number: int) -> None:
    assert push(CHANGESET | {"schema_version": number})[0].schema_version == number


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("-1", "too small"),
        ("2147483648", "too large"),
        ("1.0", "not an integer"),
        ("1e0", "not an integer"),
        ("1.5", "not an integer"),
        ('"1"', "not an integer"),
        ("true", "not an integer"),
        ("null", "not an integer"),
        ("9" * 400, "not an integer"),
        ("1e400", "not an integer"),
    ],
)
def test_schema_versions_of_another_kind(number: str, reason: str) -> None:
    text = json.dumps(CHANGESET | {"schema_version": "HERE"}).replace('"HERE"', number)
    ((found, why),) = refused(lambda: parse_push(text.encode(), 100))
    assert found == "/schema_version"
    assert why == reason or number in ("9" * 400, "1e400")


def test_minus_zero_is_zero() -> None:
    text = json.dumps(CHANGESET).replace(": 3", ": -0")
    found = parse_push(text.encode(), 100)[0].schema_version
    assert (found, str(found)) == (0, "0")


@pytest.mark.parametrize("text", [UUID.upper(), UUID + "\n", "canary", "", UUID[1:]])
def test_an_id_that_is_no_uuid(text: str) -> None:
    assert refused(lambda: push(CHANGESET | {"id": text})) == [("/id", "not of the required form")]


def test_an_unknown_member_is_reported_at_its_parent() -> None:
    """Its name is the sender's, so it is not repeated."""
    assert refused(lambda: push(CHANGESET | {CANARY: 1})) == [("", "an unknown member")]
    assert refused(lambda: push({"changesets": [CHANGESET], CANARY: 1})) == [("", "an unknown member")]
    assert refused(lambda: push({"changesets": [CHANGESET | {CANARY: 1}]})) == [("/changesets/0", "an unknown member")]


@pytest.mark.parametrize("value", [None, 1, "canary", [], [CHANGESET], True])
def test_a_body_that_is_no_object(value: object) -> None:
    assert refused(lambda: push(value)) == [("", "not an object")]
    assert refused(lambda: push({"changesets": [value]})) == [("/changesets/0", "not an object")]


@pytest.mark.parametrize(("value", "reason"), [(None, "not an array"), ({}, "not an array"), ([], "too short")])
def test_a_batch_of_another_form(value: object, reason: str) -> None:
    assert refused(lambda: push({"changesets": value})) == [("/changesets", reason)]


def numbered(count: int) -> list[dict[str, Any]]:
    return [CHANGESET | {"id": f"{UUID[:-4]}{number:04x}"} for number in range(count)]


def test_a_batch_at_its_limit_and_one_past_it() -> None:
    assert len(push({"changesets": numbered(7)}, max_batch=7)) == 7
    assert refused(lambda: push({"changesets": numbered(8)}, max_batch=7)) == [("/changesets", "too long")]


def test_an_id_twice_in_a_request() -> None:
    one, two = numbered(2)
    found = refused(lambda: push({"changesets": [one, two, one, two | {"entity": "x"}]}))
    assert found == [(f"/changesets/{index}/id", "repeated in this request") for index in (2, 3)]


def test_as_many_errors_are_told_as_a_reader_can_use() -> None:
    assert len(refused(lambda: push({"changesets": [{}] * 50}))) == MAX_REPORTED_ERRORS


def test_a_repeated_member_is_the_last_one_or_refused() -> None:
    body = json.dumps(CHANGESET).replace('"id"', '"entity": "first", "id"')
    assert parse_push(body.encode(), 100)[0].entity == "e"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda one: st.lists(one) | st.dictionaries(st.sampled_from([*CHANGESET, "changesets", CANARY]), one),
    )
)
def test_no_json_makes_it_fail_otherwise(value: object) -> None:
    said = ""
    try:
        push(value)
    except RelayError as error:
        said = json.dumps(error.problem())
    assert CANARY not in said


# ---------------------------------------------------------------- registration


def test_a_registration_may_bring_an_endorsement() -> None:
    found = parse_registration().endorsement
    assert found is not None
    assert found.model_dump() == ENDORSEMENT
    founding = {name: value for name, value in REGISTRATION.items() if name != "endorsement"}
    assert parse(Registration, json.dumps(founding).encode()).endorsement is None


@pytest.mark.parametrize("value", [None, 1, "canary", [], True])
def test_an_endorsement_that_is_there_is_an_object(value: object) -> None:
    assert {place for place, _ in refused(lambda: parse_registration(endorsement=value))} == {"/endorsement"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("endorser", "canary"),
        ("endorser", "A" * 42 + "="),
        ("endorser", 7),
        ("expires_at", "canary"),
        ("expires_at", 1.5),
        ("expires_at", True),
        ("expires_at", 2**63),
        ("expires_at", 10**30),
        ("signature", "canary"),
        ("signature", "A" * 85 + "B"),
        ("signature", "A" * 87),
        ("signature", None),
    ],
)
def test_an_endorsement_of_another_form(name: str, value: object) -> None:
    assert [place for place, _ in refused(lambda: parse_registration(endorsement=ENDORSEMENT | {name: value}))] == [
        f"/endorsement/{name}"
    ]


@pytest.mark.parametrize("key", [*DEVICES["refused_public_keys"], "canary", "A" * 42, KEY + "A", "", 7, None])
def test_public_keys_that_are_refused(key: object) -> None:
    assert [place for place, _ in refused(lambda: parse_registration(public_key=key))] == ["/public_key"]


@pytest.mark.parametrize("name", ["vault_id", "public_key"])
def test_a_registration_names_vault_and_key(name: str) -> None:
    rest = {key: value for key, value in REGISTRATION.items() if key != name}
    assert refused(lambda: parse(Registration, json.dumps(rest).encode())) == [(f"/{name}", "required")]


# ---------------------------------------------------------------- announcement


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("size", 0),
        ("size", -1),
        ("size", 2**63),
        ("size", 1.0),
        ("size", "1"),
        ("sha256", "canary"),
        ("sha256", "A" * 42 + "B"),
        ("key_id", ""),
        ("key_id", "x" * 129),
        ("schema_version", -1),
        ("schema_version", 2**31),
        ("covers", None),
        ("covers", []),
    ],
)
def test_an_announcement_of_another_form(name: str, value: object) -> None:
    assert [place for place, _ in refused(lambda: parse_announcement(**{name: value}))] == [f"/{name}"]


@pytest.mark.parametrize(
    ("covers", "place"),
    [
        ({"seq": -1, "chain": "A" * 43}, "/covers/seq"),
        ({"seq": 2**63, "chain": "A" * 43}, "/covers/seq"),
        ({"seq": 0, "chain": "canary"}, "/covers/chain"),
        ({"seq": 0}, "/covers/chain"),
        ({"seq": 0, "chain": "A" * 43, "canary": 1}, "/covers"),
    ],
)
def test_covers_of_another_form(covers: dict[str, Any], place: str) -> None:
    assert [found for found, _ in refused(lambda: parse_announcement(covers=covers))] == [place]


def test_an_announcement_at_its_limits() -> None:
    found = parse_announcement(size=2**63 - 1, schema_version=2**31 - 1, key_id="x" * 128)
    assert (found.size, found.schema_version) == (2**63 - 1, 2**31 - 1)


@pytest.mark.parametrize("body", [b"", b"{", b"NaN", b"\xff", b'{"vault_id":"\\ud800"}'])
def test_a_body_that_is_no_json(body: bytes) -> None:
    for run in (lambda: parse_push(body, 100), lambda: parse(Registration, body)):
        with pytest.raises(MalformedRequest) as caught:
            run()
        assert caught.value.__cause__ is None
