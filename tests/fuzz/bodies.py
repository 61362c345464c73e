"""JSON bodies of the three routes that take one: refused as malformed or by a field, or read as what they say.

An input's first byte chooses the route, the rest is the body.
"""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from relay_protocol.changeset import Changeset
from relay_protocol.encoding import parse_json
from relay_protocol.errors import InvalidField, MalformedRequest
from relay_protocol.requests import Announcement, Batch, Endorsement, Registration, parse, parse_push
from relay_protocol.sealed import into_hash, into_store
from tests.fuzz.signatures import VECTORS
from tests.fuzz.target import Target
from tools.openapi.examples import EXAMPLES

MAX_BATCH = 20
VAULT_ID = "0b5f3c1e-8f0a-4d57-9d0c-3c6a1a5f2e77"
PARSERS: Sequence[Callable[[bytes], object]] = (
    lambda body: parse_push(body, MAX_BATCH),
    lambda body: parse(Registration, body),
    lambda body: parse(Announcement, body),
)
_MODELS = (Changeset, Batch, Registration, Endorsement, Announcement)
_NAMES = {name for model in _MODELS for name in model.model_fields} | {"seq", "chain"}
_STEP = re.compile(r"/([a-z0-9_]*)")


def check(data: bytes) -> None:
    """Parse a body by its route's model."""
    body = data[1:]
    _check_json(body)
    try:
        parsed = PARSERS[(data[0] if data else 0) % len(PARSERS)](body)
    except MalformedRequest:
        return
    except InvalidField as error:
        _check_told(error)
        return
    if isinstance(parsed, list):
        assert 1 <= len(parsed) <= MAX_BATCH
        assert len({changeset.id for changeset in parsed}) == len(parsed)
        for changeset in parsed:
            _check_kept(changeset)


def _check_json(body: bytes) -> None:
    """What is taken for JSON is JSON to the standard library too, and the same."""
    try:
        value = parse_json(body)
    except ValueError:
        return
    try:
        assert _same(value, json.loads(body.decode())), "another value"
    except RecursionError:
        return


def _same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal. A large integer may have become a double, and a larger one an infinity."""
    if isinstance(one, float):
        return type(other) in {int, float} and (abs(one) == float("inf") or one == float(other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return type(one) is type(other) and bool(one == other)


def _check_told(error: InvalidField) -> None:
    """A refusal names members of the protocol and places in lists alone: nothing that was sent (§6)."""
    for told in error.problem()["errors"]:
        steps = _STEP.findall(told["pointer"])
        assert "".join(f"/{step}" for step in steps) == told["pointer"]
        assert all(step in _NAMES or step.isdigit() for step in steps), "a name that was sent is told"
        assert told["reason"] != "not valid", "a reason nobody wrote"


def _check_kept(changeset: Changeset) -> None:
    """A changeset is stored as it came: what is written of it is the same changeset."""
    text, size_bytes = changeset.json_text()
    written = into_store(text)
    assert len(written) == size_bytes
    (again,) = parse_push(written, 1)
    assert again.digest(VAULT_ID) == changeset.digest(VAULT_ID)
    assert into_store(again.json_text()[0]) == written
    assert into_hash(again.ciphertext) == json.loads(written)["ciphertext"].encode()


def seeds() -> Sequence[bytes]:
    """Return the examples of the OpenAPI document, and the vectors' changesets."""
    chain = json.loads((VECTORS / "chain.json").read_bytes())["links"]
    changesets = [link["changeset"] for link in chain]
    bodies = [
        *((0, changeset) for changeset in changesets),
        (0, {"changesets": changesets}),
        (0, EXAMPLES["Batch"]),
        (1, EXAMPLES["Registration"]),
        (1, {name: value for name, value in EXAMPLES["Registration"].items() if name != "endorsement"}),
        (2, EXAMPLES["Announcement"]),
    ]
    return [bytes([kind]) + json.dumps(body).encode() for kind, body in bodies]


BODIES = Target(
    "bodies",
    check,
    seeds,
    words=(
        *(b'"%b":' % name.encode() for name in sorted(_NAMES)),
        b"null",
        b"true",
        b"NaN",
        b"Infinity",
        b"1.0",
        b"-0",
        b'"\\ud800"',
        b'"\\u0000"',
        b"{}",
        b"[]",
        b"[" * 600,
        b'{"a":' * 300,
        b"\xef\xbb\xbf",
    ),
)
