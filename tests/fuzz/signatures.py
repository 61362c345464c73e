"""Signature fields and signature bases (§4): whatever comes is refused by its name, or means what it says.

An input is a request's text. One without `Signature-Input` is signed first, and then has to be believed.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import http_sf
from nacl.signing import SigningKey

from relay_protocol.devices import thumbprint
from relay_protocol.encoding import from_base64url
from relay_protocol.errors import DigestMismatch, RelayError, SignatureExpired, SignatureInvalid, SignatureRequired
from relay_protocol.signing import Claim, Component, Message, sign, signature_base
from tests.fuzz.request_text import read, write
from tests.fuzz.target import Target

VECTORS = Path(__file__).parents[2] / "schema" / "vectors"
REQUESTS: dict[str, Any] = json.loads((VECTORS / "requests.json").read_bytes())
DEVICES: list[dict[str, str]] = json.loads((VECTORS / "devices.json").read_bytes())["devices"]
KEYS = {one["device_id"]: from_base64url(one["public_key"]) for one in DEVICES}
SIGNER = SigningKey(bytes.fromhex(DEVICES[1]["seed"]))
NOW, SKEW = REQUESTS["now"], 300
REFUSALS = (SignatureRequired, SignatureInvalid, SignatureExpired, DigestMismatch)


def check(data: bytes) -> None:
    """Judge a request as the relay does."""
    text = read(data)
    message = Message(text.method, text.joined().get("host", ""), text.path, text.query, text.joined(), text.body)
    names = [name for name, _ in message.query]
    if len(set(names)) != len(names):
        return  # one that is sent twice is refused before the signature is judged (§6)
    if "signature-input" not in message.fields:
        _check_signed(message)
        return
    try:
        claim = Claim.parse(message.fields)
        claim.check_rules(message)
    except REFUSALS:
        return
    _check_base(message, claim)
    if _refusal(claim, message) is None:
        _check_bound(message, claim)


def _check_signed(message: Message) -> None:
    """What a client signs is believed, unless it can't be signed at all."""
    if {"signature", "content-digest"} & message.fields.keys():
        return
    try:
        added = sign(message, SIGNER, NOW)
    except ValueError:
        assert not _is_ascii(message), "a request in ASCII can be signed"
        return
    fields = {**message.fields, **{name.lower(): value for name, value in added.items()}}
    signed = replace(message, fields=fields)
    claim = Claim.parse(signed.fields)
    claim.check_rules(signed)
    assert claim.device_id == thumbprint(bytes(SIGNER.verify_key))
    assert _refusal(claim, signed) is None
    _check_base(signed, claim)
    _check_bound(signed, claim)


def _check_base(message: Message, claim: Claim) -> None:
    """The base reads back as what it was made of: no value forges a line, and no parameter gets lost."""
    base = signature_base(message, claim.components, claim.parameters)
    if base is None:
        return
    *lines, last = base.decode("ascii").split("\n")
    if not any("\n" in value for value in (message.path, message.method, message.authority, *message.fields.values())):
        assert len(lines) == len(claim.components)
    name, _, value = last.partition(": ")
    assert name == '"@signature-params"'
    assert _parsed(value) == (claim.components, claim.parameters)
    assert value == _written(claim), "as the library writes it"


def _parsed(inner_list: str) -> tuple[list[Component], dict[str, Any]]:
    members: Any = http_sf.parse(f"s={inner_list}".encode("ascii"), tltype="dictionary")
    components, parameters = members["s"]
    return components, parameters


def _written(claim: Claim) -> str:
    members: Any = {"s": (claim.components, claim.parameters)}
    return http_sf.ser(members).removeprefix("s=")


def _check_bound(message: Message, claim: Claim) -> None:
    """A signature that is believed holds for this request, for this device and for no other."""
    others = [
        replace(message, method=message.method + "X"),
        replace(message, path=message.path + "/x"),
        replace(message, authority="x" + message.authority),
        replace(message, body=message.body + b"x"),
    ]
    for name in sorted({"if-match", "authorization"} & message.fields.keys()):
        fields = {**message.fields, name: message.fields[name] + "x"}
        others += [replace(message, fields=fields)]
    for place, (name, value) in enumerate(message.query):
        query = [*message.query]
        query[place] = (name, value + "x")
        others.append(replace(message, query=query))
    other = others[sum(claim.signature) % len(others)]  # one for each input: all would make it slow
    try:
        claim.check_rules(other)
        assert _refusal(claim, other) is not None, "a changed request is believed"
    except SignatureInvalid:
        pass
    stranger = bytes(SigningKey(b"s" * 32).verify_key)
    assert _refusal(claim, message, stranger) is SignatureInvalid
    late = NOW + SKEW + 1 + abs(NOW - claim.parameters["created"])
    assert _refusal(claim, message, now_seconds=late) is SignatureExpired


def _refusal(
    claim: Claim, message: Message, public_key: bytes | None = None, now_seconds: int = NOW
) -> type[RelayError] | None:
    public_key = public_key or KEYS.get(claim.device_id) or KEYS[thumbprint(bytes(SIGNER.verify_key))]
    try:
        claim.verify(message, public_key, now_seconds, SKEW)
    except REFUSALS as error:
        return type(error)
    return None


def _is_ascii(message: Message) -> bool:
    texts = (message.method, message.authority, message.path, *message.fields.values())
    return all(text.isascii() for text in texts)


def seeds() -> Sequence[bytes]:
    """Return the vectors' requests, each as it is and unsigned."""
    made = []
    for case in [*REQUESTS["accepted"], *REQUESTS["refused"]]:
        body = (case["body"] or "").encode()
        fields = {name: value for name, value in case["headers"].items() if value.isascii()}
        made.append(write(case["method"], case["target"], fields, body))
        plain = {name: value for name, value in fields.items() if name in {"Host", "Content-Type", "If-Match"}}
        made.append(write(case["method"], case["target"], plain, body))
    first = REQUESTS["accepted"][0]
    escaped = first["headers"] | {"Signature-Input": first["headers"]["Signature-Input"] + r';nonce="a\"b\\"'}
    return [*made, write(first["method"], first["target"], escaped)]


SIGNATURES = Target(
    "signatures",
    check,
    seeds,
    words=(
        b'"@method"',
        b'"@authority"',
        b'"@query-param";name="since"',
        b'"content-digest"',
        b";created=1777195800",
        b';keyid="x"',
        b';alg="ed25519"',
        b";expires=1",
        b';nonce="\\"\\\\"',
        b";sf",
        b";bs",
        b"sig=()",
        b"sig=:AA==:",
        b"sha-256=::",
        b"?1",
        b"@1",
        b'%"x"',
        b"1.0",
        b"Signature-Input: ",
        b"If-Match: ",
        b"Authorization: ",
    ),
)
