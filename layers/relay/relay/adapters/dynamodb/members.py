"""Devices and the vaults they are in."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from relay.adapters.dynamodb import keys
from relay.adapters.dynamodb.calls import Calls
from relay.adapters.dynamodb.entries import EMPTY, Tail, marker, new_token
from relay.adapters.dynamodb.failures import Refused
from relay.adapters.dynamodb.store import Store, View, fence, replace_vault
from relay.adapters.dynamodb.values import Item
from relay.adapters.dynamodb.vault_item import Vault, vault_of
from relay.ports import (
    Device,
    Endorsement,
    Member,
    PairingPlan,
    PairingState,
    Revocation,
    Roster,
    Signer,
    Standing,
)
from relay_protocol.changeset import genesis

R = TypeVar("R")

_AFTER_ANY_ID = "~"
_AFTER_ANY_DEVICE = "\U0010ffff"


class Members:
    """The part of `relay.ports.Log` that is about devices; see there for what each method guarantees."""

    _store: Store

    def find_signer(self, device_id: str, vault_id: str | None) -> Signer | None:
        """See `Log.find_signer`. What it saw of the vault is kept for an append by the same thread."""
        calls = self._store.begin()
        if vault_id is not None:
            key = keys.member(vault_id, device_id)
            view = self._store.view(calls, vault_id, key)
            member = view.item(key) if view else None
            if view is not None and member is not None:
                self._store.note(device_id, view)
                return Signer(member["key"], view.vault.standing(device_id, member))
        registrations = _registrations(calls, device_id)
        there = _live(calls, [item["sk"] for item in registrations])
        found = next((item for item in registrations if item["sk"] in there), None)
        return None if found is None else Signer(found["key"], Standing.STRANGER)

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

    def companion(self, signer_id: str, device_id: str) -> Device | None:
        """See `Log.companion`."""
        calls = self._store.begin()
        mine, theirs = calls.both(partial(_registrations, calls, signer_id), partial(_registrations, calls, device_id))
        vaults = _live(calls, [item["sk"] for item in theirs])
        met = device_id == signer_id or any(
            item["sk"] in vaults and signer_id in vaults[item["sk"]].active for item in mine
        )
        there = [item for item in theirs if item["sk"] in vaults] if met else []
        if not there:
            return None
        return Device(device_id, there[0]["key"], min(item["registered"] for item in there))

    def roster(self, vault_id: str) -> Roster | None:
        """See `Log.roster`."""
        calls = self._store.begin()
        pk, begin = keys.vault_pk(vault_id), keys.MEMBERS
        item, members = calls.both(
            partial(calls.get, keys.vault(vault_id)),
            partial(calls.query_all, pk, begin, begin + _AFTER_ANY_DEVICE),
        )
        vault = vault_of(vault_id, item)
        if vault is None:
            return None
        return Roster(vault.epoch, [_member(one) for one in sorted(members, key=lambda one: one["position"])])

    def revoke(self, vault_id: str, device_id: str, now_ms: int) -> Revocation:
        """See `Log.revoke`. No append that was planned before is stored after."""
        calls = self._store.begin()
        key = keys.member(vault_id, device_id)
        while True:
            view = self._store.view(calls, vault_id, key)
            member = view.item(key) if view else None
            if view is None or member is None:
                return Revocation.NOT_FOUND
            if "revoked" in member:
                return Revocation.REVOKED
            if len(view.vault.active) == 1:
                return Revocation.LAST_MEMBER
            vault = replace(view.vault, active=view.vault.active - {device_id})
            revoked = calls.put_with(member | {"revoked": now_ms}, "attribute_not_exists(revoked)")
            try:
                calls.transact(*fence(calls, view.tail, vault), revoked)
            except Refused:
                calls.pause()
            else:
                return Revocation.REVOKED


def _registrations(calls: Calls, device_id: str) -> list[Item]:
    return calls.query_all(keys.registrations_pk(device_id), "0", _AFTER_ANY_ID)


def _live(calls: Calls, vault_ids: Sequence[str]) -> dict[str, Vault]:
    """Return those of the vaults that are live."""
    items = calls.get_many([keys.vault(vault_id) for vault_id in vault_ids])
    vaults = (vault_of(vault_id, items.get((keys.vault_pk(vault_id), keys.VAULT))) for vault_id in vault_ids)
    return {vault.vault_id: vault for vault in vaults if vault is not None}


def _pairing_state(view: View, device: Item | None, endorser: Item | None) -> PairingState:
    return PairingState(
        vault="live",
        epoch=view.vault.epoch,
        head=view.tail.head,
        device=_member(device) if device else None,
        endorser=_member(endorser) if endorser else None,
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


def _member(item: Item) -> Member:
    endorsement = Endorsement(*item["signed"]) if "signed" in item else None
    device_id = item["sk"].removeprefix(keys.MEMBERS)
    return Member(device_id, item["key"], item["registered"], item.get("revoked"), endorsement)
