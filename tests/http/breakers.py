"""Ways to break a request that is right, each alone: one for every check of §6, in the order of the checks."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.http.device import Device
from tests.http.events import Draft, drop_header, edit_header, set_header
from tests.http.world import Vault, encode

EXHAUSTED_ADDRESS = "203.0.113.99"
MAX_BODY_BYTES = 4_000
STRANGER = Device.named("never registered")


@dataclass(frozen=True)
class Breaker:
    """One check that fails: its code, and the change to the draft that makes it fail."""

    code: str
    change: Callable[[Vault, Draft], None]
    name: str = ""

    def __str__(self) -> str:
        return self.name or self.code


def edit_body(draft: Draft, **members: Any) -> None:
    """Give members of the JSON body other values."""
    draft.body = encode(json.loads(draft.body) | members)


def answer_to(vault: Vault, draft: Draft, broken: Sequence[Breaker]) -> str | None:
    """Break the draft in these ways and return the code. The last check is broken first, so the first one stands."""
    for breaker in reversed(broken):
        breaker.change(vault, draft)
    if draft.address == EXHAUSTED_ADDRESS:
        vault.world.call(None, draft.method, draft.path, address=EXHAUSTED_ADDRESS)
    return vault.world.send(draft).code


def _bad_id(_: Vault, draft: Draft) -> None:
    draft.path = "/vaults/NOT-A-UUID/changesets"


def _method(_: Vault, draft: Draft) -> None:
    draft.method = "PATCH"


def _large(_: Vault, draft: Draft) -> None:
    draft.body = draft.body.ljust(MAX_BODY_BYTES + 1)


def _limited(_: Vault, draft: Draft) -> None:
    draft.address = EXHAUSTED_ADDRESS


def _query(_: Vault, draft: Draft) -> None:
    draft.query = [("unknown", "1")]


def _unsigned(_: Vault, draft: Draft) -> None:
    draft.after_signing.append(drop_header("signature"))


def _rule(_: Vault, draft: Draft) -> None:
    draft.after_signing.append(edit_header("signature-input", lambda value: value + ";unknown=1"))


def _unknown(_: Vault, draft: Draft) -> None:
    draft.key = STRANGER.key


def _late(_: Vault, draft: Draft) -> None:
    draft.created -= 301


def _forged(_: Vault, draft: Draft) -> None:
    draft.after_signing.append(set_header("signature", f"sig=:{'A' * 86}==:"))


def _digest(_: Vault, draft: Draft) -> None:
    def change(event: dict[str, Any]) -> None:
        event["body"] += " "

    draft.after_signing.append(change)


def _revoked(_: Vault, draft: Draft) -> None:
    draft.key = Device.named("revoked").key


def _elsewhere(vault: Vault, draft: Draft) -> None:
    other = vault.world.found()
    draft.path = draft.path.replace(vault.id, other.id)


def _media_type(_: Vault, draft: Draft) -> None:
    draft.headers["Content-Type"] = "text/plain"


def _json(_: Vault, draft: Draft) -> None:
    draft.body = b"{" + draft.body


def weak_tag(_: Vault, draft: Draft) -> None:
    """Send an `If-Match` that is not a strong tag."""
    draft.headers["If-Match"] = 'W/"chain"'


def other_tag(_: Vault, draft: Draft) -> None:
    """Send an `If-Match` that is not the head's chain."""
    draft.headers["If-Match"] = '"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"'


def member(**members: Any) -> Callable[[Vault, Draft], None]:
    """Return a change of the body's members."""
    return lambda _, draft: edit_body(draft, **members)


ROUTE: Sequence[Sequence[Breaker]] = (
    (Breaker("route_not_found", _bad_id),),
    (Breaker("method_not_allowed", _method),),
    (Breaker("body_too_large", _large),),
    (Breaker("rate_limited", _limited),),
    (Breaker("malformed_request", _query, "an unknown query parameter"),),
    (Breaker("signature_required", _unsigned),),
)
RULE = Breaker("signature_invalid", _rule, "an unknown signature parameter")
UNKNOWN = Breaker("unknown_device", _unknown)
OTHER_KEY = Breaker("signature_invalid", _unknown, "another key than the registered one")
PROOF: Sequence[Sequence[Breaker]] = (
    (Breaker("signature_expired", _late),),
    (Breaker("signature_invalid", _forged, "does not verify"),),
    (Breaker("digest_mismatch", _digest),),
)
MEMBERSHIP = (Breaker("device_revoked", _revoked), Breaker("vault_not_found", _elsewhere, "not a member"))
MEDIA_TYPE = (Breaker("unsupported_media_type", _media_type),)
SYNTAX = Breaker("malformed_request", _json, "not JSON")
WEAK_TAG = Breaker("malformed_request", weak_tag, "a weak If-Match")

IN_VAULT: Sequence[Sequence[Breaker]] = (*ROUTE, (RULE,), (UNKNOWN,), *PROOF, MEMBERSHIP)
"""The checks of every request about a vault, up to what its endpoint asks."""
