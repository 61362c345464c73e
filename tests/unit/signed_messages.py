"""Requests to sign and to judge, those of the vectors among them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from nacl.signing import SigningKey

from relay_protocol.devices import thumbprint
from relay_protocol.encoding import from_base64url
from relay_protocol.errors import (
    MalformedRequest,
    UnknownDevice,
)
from relay_protocol.signing import Claim, Message, sign

VECTORS = Path(__file__).parents[2] / "schema" / "vectors"
REQUESTS: dict[str, Any] = json.loads((VECTORS / "requests.json").read_bytes())
DEVICES: list[dict[str, Any]] = json.loads((VECTORS / "devices.json").read_bytes())["devices"]
MEMBERS = {one["device_id"]: from_base64url(one["public_key"]) for one in DEVICES if one["name"] in "alice bob carol"}
KEY = SigningKey(bytes.fromhex(DEVICES[1]["seed"]))
PUBLIC_KEY = bytes(KEY.verify_key)
DEVICE_ID = thumbprint(PUBLIC_KEY)
NOW, SKEW = REQUESTS["now"], 300
PULL = Message("GET", "relay.example", "/vaults/v/changesets", (("since", "0"), ("limit", "100")))
PUSH = Message(
    "POST", "relay.example", "/vaults/v/changesets", fields={"content-type": "application/json"}, body=b'{"a":1}'
)


def message_of(case: dict[str, Any]) -> Message:
    target = urlsplit(case["target"])
    fields = {name.lower(): value for name, value in case["headers"].items()}
    query = tuple(parse_qsl(target.query, keep_blank_values=True))
    return Message(case["method"], fields["host"], target.path, query, fields, (case["body"] or "").encode())


def judge(message: Message, now: int = NOW) -> Claim:
    """Judge as a relay does, in §4's order."""
    names = [name for name, _ in message.query]
    if len(set(names)) != len(names) or not set(names) <= {"since", "limit"}:
        raise MalformedRequest
    claim = Claim.parse(message.fields)
    claim.check_rules(message)
    if claim.device_id not in MEMBERS:
        raise UnknownDevice
    claim.verify(message, MEMBERS[claim.device_id], now, SKEW)
    return claim


def signed(message: Message, created: int = NOW) -> Message:
    added = {name.lower(): value for name, value in sign(message, KEY, created).items()}
    return replace(message, fields={**message.fields, **added})
