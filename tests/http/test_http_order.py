"""The order of the checks (§6): of any two that fail, the earlier one is answered."""

import json
from collections.abc import Callable, Iterator, Sequence

import pytest

from relay.adapters.memory import MemoryLimiter, MemoryLog
from relay.config import Settings
from relay_protocol.encoding import base64url
from relay_protocol.limits import Limits, RateLimit
from tests.http.breakers import (
    IN_VAULT,
    MAX_BODY_BYTES,
    MEDIA_TYPE,
    OTHER_KEY,
    PROOF,
    ROUTE,
    RULE,
    SYNTAX,
    WEAK_TAG,
    Breaker,
    answer_to,
    edit_body,
    member,
    other_tag,
)
from tests.http.device import Device
from tests.http.events import Draft
from tests.http.waited_limiter import WaitedLimiter
from tests.http.world import Vault, World

MAX_SNAPSHOT_BYTES = 1_000_000
Order = Sequence[Sequence[Breaker]]


def _taken_id(vault: Vault, draft: Draft) -> None:
    edit_body(draft, id=vault.founder.changeset(1)["id"])


def _without_tag(_: Vault, draft: Draft) -> None:
    draft.headers.pop("If-Match")


def _announced_before(_: Vault, draft: Draft) -> None:
    edit_body(draft, sha256=base64url(b"a" * 32))


def _wrong_chain(_: Vault, draft: Draft) -> None:
    covers = json.loads(draft.body)["covers"]
    edit_body(draft, covers=covers | {"chain": base64url(bytes(32))})


def _ahead(_: Vault, draft: Draft) -> None:
    covers = json.loads(draft.body)["covers"]
    edit_body(draft, covers=covers | {"seq": 99})


INVALID = (Breaker("invalid_field", member(schema_version="3")),)
PUSH: Order = (
    *IN_VAULT,
    MEDIA_TYPE,
    (SYNTAX, WEAK_TAG),
    INVALID,
    (Breaker("origin_mismatch", member(origin_device="another")),),
    (Breaker("changeset_conflict", _taken_id),),
    (Breaker("head_moved", other_tag),),
    (Breaker("quota_exceeded", member(ciphertext="c" * 2_000)),),
)
ANNOUNCEMENT: Order = (
    *IN_VAULT,
    MEDIA_TYPE,
    (SYNTAX,),
    INVALID,
    (Breaker("body_too_large", member(size=MAX_SNAPSHOT_BYTES + 1), "a snapshot too large"),),
    (Breaker("snapshot_conflict", _announced_before),),
    (Breaker("cursor_ahead", _ahead),),
    (Breaker("covers_mismatch", _wrong_chain),),
    (Breaker("quota_exceeded", member(size=MAX_SNAPSHOT_BYTES)),),
)
ERASURE: Order = (
    *IN_VAULT,
    (WEAK_TAG, Breaker("precondition_required", _without_tag), Breaker("head_moved", other_tag)),
)
REGISTRATION: Order = (
    *ROUTE,
    MEDIA_TYPE,
    (SYNTAX,),
    (Breaker("invalid_field", member(endorsement=None)),),
    (RULE, OTHER_KEY),
    *PROOF,
    (Breaker("endorsement_required", lambda *_: None),),
)


def _push(vault: Vault) -> Draft:
    return vault.world.draft(vault.founder, "POST", f"{vault.path}/changesets", vault.founder.changeset(2))


def _announcement(vault: Vault) -> Draft:
    body = {
        "sha256": base64url(b"s" * 32),
        "size": 1_000,
        "key_id": "k1",
        "schema_version": 3,
        "covers": {"seq": 1, "chain": vault.chain_at(1)},
    }
    return vault.world.draft(vault.founder, "POST", f"{vault.path}/snapshots", body)


def _erasure(vault: Vault) -> Draft:
    headers = {"If-Match": f'"{vault.head()["chain"]}"'}
    return vault.world.draft(vault.founder, "DELETE", vault.path, b"ignored", headers=headers)


def _registration(vault: Vault) -> Draft:
    device = Device.named("knocks")
    return vault.world.draft(device, "POST", "/devices", {"vault_id": vault.id, "public_key": device.public_key})


def _pairs(order: Order) -> Iterator[tuple[Breaker, Breaker]]:
    for index, earlier in enumerate(order):
        for later in order[index + 1 :]:
            yield from ((one, other) for one in earlier for other in later)


KINDS: dict[str, tuple[Order, Callable[[Vault], Draft]]] = {
    "push": (PUSH, _push),
    "announcement": (ANNOUNCEMENT, _announcement),
    "erasure": (ERASURE, _erasure),
    "registration": (REGISTRATION, _registration),
}


@pytest.fixture(params=[MemoryLimiter, WaitedLimiter])
def world(request: pytest.FixtureRequest) -> World:
    """A relay whose limiter is at hand, and one whose limiter is waited for, so that it looks the signer up ahead."""
    return World(MemoryLog(), request.param(), Settings(limits=Limits(rate_limit=None)))


@pytest.fixture
def vault(world: World) -> Vault:
    """A vault with a changeset, a snapshot, a revoked device and a companion."""
    vault = world.found()
    vault.fill([1])
    vault.revoke(vault.join("revoked"))
    vault.join("companion")
    announced = _announcement(vault)
    edit_body(announced, sha256=base64url(b"a" * 32), size=7)
    assert world.send(announced).status == 201
    return vault


@pytest.fixture
def drafts(vault: Vault) -> dict[str, Draft]:
    """One request of each kind that would pass, in a relay where the next request may be one too many."""
    drafts = {kind: make(vault) for kind, (_, make) in KINDS.items()}
    vault.world.configure(
        rate_limit=RateLimit(requests=1, window_seconds=3600),
        max_body_bytes=MAX_BODY_BYTES,
        max_vault_bytes=vault_bytes(vault) + 1_500,
        max_snapshot_bytes=MAX_SNAPSHOT_BYTES,
    )
    return drafts


def vault_bytes(vault: Vault) -> int:
    return int(vault.info()["bytes"])


@pytest.mark.parametrize(
    ("kind", "breaker"),
    [(kind, breaker) for kind, (order, _) in KINDS.items() for step in order for breaker in step],
    ids=str,
)
def test_a_request_with_one_fault_is_told_it(
    vault: Vault, drafts: dict[str, Draft], kind: str, breaker: Breaker
) -> None:
    assert answer_to(vault, drafts[kind], [breaker]) == breaker.code


@pytest.mark.parametrize(
    ("kind", "earlier", "later"),
    [(kind, *pair) for kind, (order, _) in KINDS.items() for pair in _pairs(order)],
    ids=str,
)
def test_of_two_faults_the_earlier_check_is_answered(
    vault: Vault, drafts: dict[str, Draft], kind: str, earlier: Breaker, later: Breaker
) -> None:
    assert answer_to(vault, drafts[kind], [earlier, later]) == earlier.code


@pytest.mark.parametrize("kind", ["push", "announcement", "erasure"])
def test_a_request_without_a_fault_passes(vault: Vault, drafts: dict[str, Draft], kind: str) -> None:
    assert vault.world.send(drafts[kind]).status in {201, 204}
