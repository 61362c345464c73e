"""What is measured, as requests that are the same to the byte in every run.

Keys, ids, texts and times are drawn from names. The relay is told to take a signature of any time.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from nacl.signing import SigningKey

from bench.changesets import changeset_of
from bench.signed import Request, Signer
from relay_protocol.devices import thumbprint
from relay_protocol.encoding import base64url

HOST = "relay.example"
CREATED = 1_777_195_800
VARIABLES = {"RELAY_CLOCK_SKEW_SECONDS": str(10**12), "RELAY_RATE_LIMIT": "1000000/60"}
"""The limiter does its work, and lets all through."""

FOUNDED, WARM, PUSHED, BATCHES, PULLED, REFUSED = 40, 5, 100, 10, 25, 40
BATCH = 100
CIPHERTEXT_CHARACTERS = 636
"""So that a changeset is 1 KB of JSON."""


@dataclass(frozen=True)
class Measure:
    """Requests whose instructions are counted, and those that are sent before, which are not."""

    name: str
    before: list[Request]
    measured: list[Request]

    @property
    def is_answered(self) -> bool:
        """Whether what is asked for is done."""
        return all(request.expected < 300 for request in self.measured)

    def as_events(self) -> dict[str, list[dict[str, Any]]]:
        """Return both as events."""
        parts = {"before": self.before, "measured": self.measured}
        return {
            part: [request.as_event() | {"expected": request.expected} for request in requests]
            for part, requests in parts.items()
        }


def all_measures() -> list[Measure]:
    """Return them in their order: the pulls read what the batches wrote."""
    founding = [_found(f"founded {number}") for number in range(WARM + FOUNDED)]
    pushes = [_push("pushed", number, 1) for number in range(WARM + PUSHED)]
    batches = [_push("ingested", number, BATCH) for number in range(BATCHES + 1)]
    pulls = [_pull("ingested", number % BATCHES * BATCH) for number in range(WARM + PULLED)]
    refused = [_falsified(_pull("ingested", 0)) for _ in range(WARM + REFUSED)]
    return [
        Measure("registration of a vault's first device", founding[:WARM], founding[WARM:]),
        Measure("push of 1 KB", [_found("pushed"), *pushes[:WARM]], pushes[WARM:]),
        Measure("batch of 100", [_found("ingested"), *batches[:1]], batches[1:]),
        Measure("pull of 100", pulls[:WARM], pulls[WARM:]),
        Measure("signature refused", refused[:WARM], refused[WARM:]),
    ]


def digest(measures: list[Measure]) -> str:
    """Return what tells one such list from another."""
    return sha256(json.dumps([measure.as_events() for measure in measures], sort_keys=True).encode()).hexdigest()[:16]


def _found(vault: str) -> Request:
    key = _key(vault)
    public_key = base64url(bytes(key.verify_key))
    body = {"vault_id": _uuid(vault), "public_key": public_key}
    return _signer(vault).request("POST", "/devices", body, expected=201)


def _push(vault: str, number: int, size: int) -> Request:
    changesets = list(_changesets(vault, number, size))
    body = changesets[0] if size == 1 else {"changesets": changesets}
    return _signer(vault).request("POST", f"/vaults/{_uuid(vault)}/changesets", body, expected=201)


def _pull(vault: str, since: int) -> Request:
    query = (("since", str(since)), ("limit", "100"))
    return _signer(vault).request("GET", f"/vaults/{_uuid(vault)}/changesets", query=query, expected=200)


def _changesets(vault: str, number: int, size: int) -> Iterator[dict[str, Any]]:
    for place in range(size):
        name = f"{vault} {number} {place}"
        drawn = sha256(name.encode())
        yield changeset_of(
            _uuid(name),
            thumbprint(bytes(_key(vault).verify_key)),
            base64url(drawn.digest()[:24]),
            (drawn.hexdigest() * 20)[:CIPHERTEXT_CHARACTERS],
        )


def _signer(vault: str) -> Signer:
    return Signer(_key(vault), HOST, created=CREATED)


def _falsified(request: Request) -> Request:
    """Return it as somebody would send it who has another key, and claims to have this one."""
    others = _pull("pushed", 0).fields["signature"]
    return Request(request.method, request.path, request.query, request.fields | {"signature": others}, b"", 401)


def _key(name: str) -> SigningKey:
    return SigningKey(sha256(name.encode()).digest())


def _uuid(name: str) -> str:
    digits = sha256(name.encode()).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:32]}"
