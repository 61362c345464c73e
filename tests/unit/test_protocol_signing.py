"""Signed requests (§4): every vector, and every rule by a tamper of its own."""

from dataclasses import replace
from typing import Any

import pytest

from relay_protocol.errors import (
    DigestMismatch,
    RelayError,
    SignatureExpired,
    SignatureInvalid,
    SignatureRequired,
)
from relay_protocol.signing import Claim, Message, content_digest, normal_authority, sign, signature_base
from tests.unit.signed_messages import (
    DEVICE_ID,
    KEY,
    NOW,
    PUBLIC_KEY,
    PULL,
    PUSH,
    REQUESTS,
    SKEW,
    judge,
    message_of,
    signed,
)

# ---------------------------------------------------------------- the vectors


@pytest.mark.parametrize("case", REQUESTS["accepted"], ids=lambda case: case["name"])
def test_accepted_vectors(case: dict[str, Any]) -> None:
    message = message_of(case)
    claim = judge(message)
    base = signature_base(message, claim.components, claim.parameters)
    assert base is not None
    assert base.decode() == case["signature_base"]


@pytest.mark.parametrize("case", REQUESTS["refused"], ids=lambda case: case["name"])
def test_refused_vectors(case: dict[str, Any]) -> None:
    with pytest.raises(RelayError) as caught:
        judge(message_of(case))
    assert caught.value.code == case["code"]


# ---------------------------------------------------------------- the rules, one by one


def with_input(message: Message, **fields: str) -> Message:
    return replace(message, fields={**signed(message).fields, **fields})


def test_what_is_signed_is_taken() -> None:
    for message in (PULL, PUSH, replace(PUSH, fields={**PUSH.fields, "if-match": '"x"', "authorization": "Bearer t"})):
        assert judge(signed(message)).device_id == DEVICE_ID


@pytest.mark.parametrize(
    "fields",
    [
        {"signature-input": ""},
        {"signature": ""},
        {"signature": "sig=7"},
        {"signature": 'sig="text"'},
        {"signature": "sig"},
        {"signature": "sig=:AA"},
        {"signature": "other=:AA==:"},
        {"signature": "sig=:AA==:, sig=:AA==:"},
        {"signature": "sig=:AA==:, more=:AA==:"},
        {"signature-input": "sig=7"},
        {"signature-input": 'sig="@method"'},
        {"signature-input": "sig=()x"},
        {"signature-input": "sig=(), sig=()"},
        {"signature-input": "sïg=()"},
        {"signature-input": "\x00"},
    ],
)
def test_fields_that_hold_no_signature(fields: dict[str, str]) -> None:
    with pytest.raises(SignatureRequired):
        judge(with_input(PULL, **fields))


def test_unsigned_requests() -> None:
    for message in (PULL, PUSH):
        with pytest.raises(SignatureRequired):
            judge(message)


COVERED = '"@method" "@authority" "@path"'
PARAMETERS = f'created={NOW};keyid="{DEVICE_ID}"'


@pytest.mark.parametrize(
    "parameters",
    [
        f'keyid="{DEVICE_ID}"',
        f"created={NOW}",
        f'created="{NOW}";keyid="{DEVICE_ID}"',
        f'created={NOW}.0;keyid="{DEVICE_ID}"',
        f'created=?1;keyid="{DEVICE_ID}"',
        f"created={NOW};keyid={DEVICE_ID}",
        f"created={NOW};keyid=7",
        f"{PARAMETERS};alg=ed25519",
        f'{PARAMETERS};alg="rsa-v1_5-sha256"',
        f'{PARAMETERS};alg=""',
        f'{PARAMETERS};expires="{NOW}"',
        f"{PARAMETERS};expires=1.5",
        f"{PARAMETERS};nonce=7",
        f"{PARAMETERS};tag",
        f"{PARAMETERS};other=1",
    ],
)
def test_parameters_that_break_a_rule(parameters: str) -> None:
    plain = replace(PULL, query=())
    message = with_input(plain, **{"signature-input": f"sig=({COVERED});{parameters}"})
    with pytest.raises(SignatureInvalid):
        Claim.parse(message.fields).check_rules(message)


@pytest.mark.parametrize(
    "components",
    [
        "",
        '"@method" "@authority"',
        '"@method" "@path"',
        '"@authority" "@path"',
        f'{COVERED} "@method"',
        f'{COVERED} "host"',
        f'{COVERED} "date"',
        f'{COVERED} "@scheme"',
        f'{COVERED} "@target-uri"',
        f'{COVERED} "@query"',
        f'{COVERED} "@status"',
        f'{COVERED} "@query-param"',
        f'{COVERED} "@query-param";name=since',
        f'{COVERED} "@query-param";name="since";req',
        f'{COVERED} "content-type";sf',
        f'{COVERED} "content-type";req',
        f'{COVERED} "@path";x=1',
        f"{COVERED} 7",
        f"{COVERED} token",
        f'"@METHOD" {COVERED}',
    ],
)
def test_components_that_break_a_rule(components: str) -> None:
    plain = replace(PULL, query=())
    message = with_input(plain, **{"signature-input": f"sig=({components});{PARAMETERS}"})
    with pytest.raises(SignatureInvalid):
        Claim.parse(message.fields).check_rules(message)


def test_the_plain_rules_are_kept_by_what_those_tests_start_from() -> None:
    plain = replace(PULL, query=())
    message = with_input(plain, **{"signature-input": f"sig=({COVERED});{PARAMETERS}"})
    Claim.parse(message.fields).check_rules(message)


@pytest.mark.parametrize("name", ["if-match", "authorization"])
def test_a_field_that_must_be_covered_when_sent(name: str) -> None:
    sent = signed(PULL)
    with pytest.raises(SignatureInvalid):
        judge(replace(sent, fields={**sent.fields, name: "added on the way"}))


def test_a_covered_component_that_was_not_sent() -> None:
    for name in ("if-match", "content-digest", "content-type"):
        line = f'sig=({COVERED} "{name}");{PARAMETERS}'
        with pytest.raises(SignatureInvalid):
            judge(with_input(replace(PULL, query=()), **{"signature-input": line}))


def test_a_covered_query_parameter_that_was_not_sent() -> None:
    with pytest.raises(SignatureInvalid):
        judge(replace(signed(PULL), query=(("since", "0"),)))


@pytest.mark.parametrize("offset", [-SKEW, 0, SKEW])
def test_times_at_the_edge(offset: int) -> None:
    judge(signed(PULL, NOW + offset))


@pytest.mark.parametrize("offset", [-SKEW - 1, SKEW + 1, -NOW, 10**12])
def test_times_past_the_edge(offset: int) -> None:
    with pytest.raises(SignatureExpired):
        judge(signed(PULL, NOW + offset))


@pytest.mark.parametrize(("expires", "is_past"), [(NOW - 1, True), (NOW, False), (NOW + 1, False)])
def test_expires_is_honoured_to_the_second(expires: int, is_past: bool) -> None:  # noqa: FBT001 -- a case
    parameters = {"created": NOW, "keyid": DEVICE_ID, "expires": expires}
    components: list[tuple[str, dict[str, Any]]] = [(name, {}) for name in ("@method", "@authority", "@path")]
    plain = replace(PULL, query=())
    base = signature_base(plain, components, parameters)
    assert base is not None
    claim = Claim(components, parameters, KEY.sign(base).signature)
    claim.check_rules(plain)
    if is_past:
        with pytest.raises(SignatureExpired):
            claim.verify(plain, PUBLIC_KEY, NOW, SKEW)
    else:
        claim.verify(plain, PUBLIC_KEY, NOW, SKEW)


def test_time_is_judged_before_the_signature_and_that_before_the_digest() -> None:
    broken = replace(signed(PUSH), body=b"other")
    with pytest.raises(SignatureExpired):
        judge(broken, NOW + SKEW + 1)
    with pytest.raises(DigestMismatch):
        judge(broken)
    with pytest.raises(SignatureInvalid):
        judge(replace(broken, path="/other"))


def judge_digest(digest: str, body: bytes = PUSH.body) -> None:
    """Judge a push that is signed with this `Content-Digest`."""
    bare = replace(PUSH, body=body, fields={**PUSH.fields, "content-digest": digest})
    components: list[tuple[str, dict[str, Any]]] = [
        (name, {}) for name in ("@method", "@authority", "@path", "content-digest")
    ]
    parameters = {"created": NOW, "keyid": DEVICE_ID}
    base = signature_base(bare, components, parameters)
    assert base is not None
    claim = Claim(components, parameters, KEY.sign(base).signature)
    claim.check_rules(bare)
    claim.verify(bare, PUBLIC_KEY, NOW, SKEW)


RIGHT = content_digest(PUSH.body)


@pytest.mark.parametrize(
    "digest",
    ["", "sha-256", "sha-256=7", "sha-256=:AA==:", "sha-512=:AA==:", "\x00", "sha-256=:", f"{RIGHT}, sha-256=:AA==:"],
)
def test_a_signed_digest_that_is_none(digest: str) -> None:
    with pytest.raises(DigestMismatch):
        judge_digest(digest)


def test_the_signed_digest_of_an_empty_body_is_judged() -> None:
    judge_digest(content_digest(b""), b"")
    with pytest.raises(DigestMismatch):
        judge_digest(RIGHT, b"")


@pytest.mark.parametrize(
    "digest", [f"sha-512=:AA==:, {RIGHT}", f"{RIGHT}, md5=7", f"{RIGHT};from=proxy", f"sha-256=:AA==:, {RIGHT}"]
)
def test_beside_the_right_digest_a_dictionary_may_hold_what_it_likes(digest: str) -> None:
    """Of a key that stands twice, the last counts (RFC 9651 §3.2)."""
    judge_digest(digest)


@pytest.mark.parametrize("length", [0, 63, 65])
def test_a_signature_of_another_length(length: int) -> None:
    claim = Claim.parse(signed(PULL).fields)
    with pytest.raises(SignatureInvalid):
        replace(claim, signature=(claim.signature * 2)[:length]).verify(PULL, PUBLIC_KEY, NOW, SKEW)


@pytest.mark.parametrize(
    ("host", "authority"),
    [
        ("Relay.Example", "relay.example"),
        ("relay.example:443", "relay.example"),
        ("relay.example:80", "relay.example"),
        ("relay.example:8443", "relay.example:8443"),
        ("[::1]:8787", "[::1]:8787"),
    ],
)
def test_the_authority_is_normalised(host: str, authority: str) -> None:
    assert normal_authority(host) == authority


def test_a_field_that_ascii_cannot_carry_is_not_signed() -> None:
    with pytest.raises(ValueError, match="not ASCII"):
        sign(replace(PULL, fields={"authorization": "Bearer ü"}), KEY, NOW)
