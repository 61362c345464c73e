"""Registering: a vault's first device, and those that join it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from relay.adapters.dynamodb import keys
from relay.adapters.dynamodb.calls import Calls
from relay.adapters.dynamodb.entries import EMPTY, Tail, marker, new_token
from relay.adapters.dynamodb.failures import Refused
from relay.adapters.dynamodb.store import Store, View, replace_vault
from relay.adapters.dynamodb.values import Item
from relay.adapters.dynamodb.vault_item import Vault, vault_of
from relay.ports import Endorsement, Member, PairingPlan, PairingState
from relay_protocol.chain import genesis

R = TypeVar("R")


class Registering:
    """`Log.register`; see `relay.ports` for what it guarantees."""

    _store: Store

    def register(
        self,
        vault_id: str,
        device_id: str,
        endorser_id: str | None,
        now_ms: int,
        plan: Callable[[PairingState], PairingPlan[R]],
    ) -> R:
        """See `Log.register`."""
        calls = self._store.begin()
        device_key, endorser_key = keys.member(vault_id, device_id), keys.member(vault_id, endorser_id or "")
        while True:
            more = [device_key] if endorser_id in {None, device_id} else [device_key, endorser_key]
            view = self._store.view(calls, vault_id, *more)
            if view is None:
                item = calls.get(keys.vault(vault_id))
                if vault_of(vault_id, item) is not None:
                    continue  # it was founded in between
                state = PairingState("absent" if item is None else "erased")
            else:
                state = _pairing_state(view, view.item(device_key), view.item(endorser_key))
            decided = plan(state)
            writes = [*_founding(calls, vault_id, decided, now_ms)] if decided.new_epoch else []
            if decided.add is not None and not writes:
                assert view is not None
                writes = [*_joining(calls, view.vault, decided.add)]
            try:
                if writes:
                    calls.transact(*writes)
            except Refused:
                calls.pause()
            else:
                return decided.outcome


def member_of(item: Item) -> Member:
    """Return the member that an item is."""
    endorsement = Endorsement(*item["signed"]) if "signed" in item else None
    device_id = item["sk"].removeprefix(keys.MEMBERS)
    return Member(device_id, item["key"], item["registered"], item.get("revoked"), endorsement)


def _pairing_state(view: View, device: Item | None, endorser: Item | None) -> PairingState:
    return PairingState(
        vault="live",
        epoch=view.vault.epoch,
        head=view.tail.head,
        device=member_of(device) if device else None,
        endorser=member_of(endorser) if endorser else None,
        members=len(view.vault.active),
    )


def _founding(calls: Calls, vault_id: str, decided: PairingPlan[Any], now_ms: int) -> Sequence[dict[str, Any]]:
    """Return the writes of a new vault: itself, the end of its empty log, its place in the list, its first member."""
    assert decided.new_epoch is not None
    start, token = genesis(vault_id), new_token()
    vault = Vault(vault_id, decided.new_epoch, now_ms, start, 0, 0, token)
    if decided.add is not None:
        vault = replace(vault, active=frozenset({decided.add.device_id}), registered=1)
    item, condition, _ = vault.put(new=True)
    return [
        calls.put_with(item, condition),
        calls.put_with(marker(vault_id, Tail(start, None, 0, token), token, token), EMPTY),
        calls.put_with({**keys.live(vault_id)}, EMPTY),
        *(_adding(calls, vault, decided.add) if decided.add else ()),
    ]


def _joining(calls: Calls, vault: Vault, member: Member) -> Sequence[dict[str, Any]]:
    joined = replace(vault, active=vault.active | {member.device_id}, registered=vault.registered + 1)
    return [replace_vault(calls, joined), *_adding(calls, joined, member)]


def _adding(calls: Calls, vault: Vault, member: Member) -> Sequence[dict[str, Any]]:
    signed, vault_id, device_id = member.endorsement, vault.vault_id, member.device_id
    item = {
        **keys.member(vault_id, device_id),
        "key": member.public_key,
        "registered": member.registered_at_ms,
        "revoked": member.revoked_at_ms,
        "position": vault.registered,
        "signed": [signed.endorser, signed.expires_at, signed.signature] if signed else None,
    }
    registration = {
        **keys.registration(device_id, vault_id),
        "key": member.public_key,
        "registered": member.registered_at_ms,
    }
    return [calls.put_with(item, EMPTY), calls.put_with(registration, EMPTY)]
