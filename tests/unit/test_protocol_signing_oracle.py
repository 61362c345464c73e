"""Signed requests (§4): an independent library takes what we sign, and we what it signs."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote, urlencode

import http_message_signatures as oracle
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from relay_protocol.errors import (
    SignatureInvalid,
)
from relay_protocol.signing import Claim, Message, content_digest
from tests.unit.signed_messages import (
    DEVICE_ID,
    KEY,
    MEMBERS,
    NOW,
    PUBLIC_KEY,
    PULL,
    PUSH,
    REQUESTS,
    judge,
    message_of,
    signed,
)


class OracleRequest(SimpleNamespace):
    """A request as the library `http-message-signatures` takes it."""

    headers: dict[str, str]
    body: bytes


class Recent(oracle.HTTPMessageVerifier):
    max_clock_skew = timedelta(days=36500)


RESOLVER = oracle.MappingKeyResolver(
    public_keys={DEVICE_ID: Ed25519PublicKey.from_public_bytes(PUBLIC_KEY)},
    private_keys={DEVICE_ID: Ed25519PrivateKey.from_private_bytes(bytes(KEY))},
)


def as_oracle(message: Message) -> OracleRequest:
    query = f"?{urlencode(message.query, quote_via=quote)}" if message.query else ""
    url = f"https://{message.authority}{message.path}{query}"
    headers = {"Host": message.authority, **message.fields}
    return OracleRequest(method=message.method, url=url, headers=headers, body=message.body)


def from_oracle(request: OracleRequest, message: Message) -> Message:
    fields = {name.lower(): value for name, value in request.headers.items() if name.lower() != "host"}
    return replace(message, fields=fields)


def oracle_verifies(message: Message) -> None:
    verifier = Recent(signature_algorithm=oracle.algorithms.ED25519, key_resolver=RESOLVER)
    verifier.verify(as_oracle(message), max_age=None, body=message.body or None)


def oracle_signs(message: Message, covered: Sequence[str]) -> Message:
    request = as_oracle(message)
    signer = oracle.HTTPMessageSigner(signature_algorithm=oracle.algorithms.ED25519, key_resolver=RESOLVER)
    signer.sign(
        request,
        key_id=DEVICE_ID,
        created=datetime.fromtimestamp(NOW, UTC),
        covered_component_ids=covered,
        body=message.body or None,
    )
    return from_oracle(request, message)


SEVERAL = [
    PULL,
    PUSH,
    replace(PULL, query=()),
    replace(PUSH, path="/prod/base/devices"),
    replace(PULL, authority="relay.example:8787"),
    replace(PULL, authority="Relay.Example:443"),
    replace(PULL, query=(("since", "a b~*+%/é"), ("limit", ""))),
    replace(PUSH, fields={**PUSH.fields, "if-match": '"chain"', "authorization": "Bearer token"}),
]


def test_the_oracle_takes_what_we_sign() -> None:
    for message in SEVERAL:
        oracle_verifies(signed(message))


def test_we_take_what_the_oracle_signs() -> None:
    for message in SEVERAL:
        covered = [*('"@authority"', '"@path"', '"@method"'), *(f'"{name}"' for name in message.fields)]
        covered += [f'"@query-param";name="{name}"' for name, _ in message.query]
        claim = judge(oracle_signs(message, covered))
        assert claim.device_id == DEVICE_ID


def test_the_oracle_refuses_what_we_refuse() -> None:
    """So the test above can fail: the library does look."""
    sent = signed(PULL)
    for other in (replace(sent, path="/x"), replace(sent, method="PUT"), replace(sent, authority="other")):
        with pytest.raises(oracle.InvalidSignature):
            oracle_verifies(other)
        with pytest.raises(SignatureInvalid):
            judge(other)


@pytest.mark.parametrize("case", REQUESTS["accepted"], ids=lambda case: case["name"])
def test_the_oracle_takes_the_accepted_vectors(case: dict[str, Any]) -> None:
    message = message_of(case)
    claim = Claim.parse(message.fields)
    key = Ed25519PublicKey.from_public_bytes(MEMBERS[claim.device_id])
    resolver = oracle.MappingKeyResolver(public_keys={claim.device_id: key}, private_keys={})
    fields = {name: value for name, value in message.fields.items() if name != "host"}
    request = as_oracle(replace(message, fields=fields))
    verifier = Recent(signature_algorithm=oracle.algorithms.ED25519, key_resolver=resolver)
    (result,) = verifier.verify(request, max_age=None)
    *lines, (_, parameters) = result.covered_components.items()
    base = "\n".join([f"{name}: {value}" for name, value in lines] + [f'"@signature-params": {parameters}'])
    assert base == case["signature_base"]


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), st.binary(max_size=50))
def test_any_query_value_and_any_body_agree_with_the_oracle(value: str, body: bytes) -> None:
    message = replace(PUSH, query=(("since", value),), body=body)
    oracle_verifies(signed(message))


def test_the_content_digest_is_the_oracle_s() -> None:
    message = oracle_signs(PUSH, ['"@method"'])
    assert message.fields["content-digest"] == content_digest(PUSH.body)
