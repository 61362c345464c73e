"""Devices and the vaults they are in."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from relay.adapters.dynamodb import keys
from relay.adapters.dynamodb.calls import Calls
from relay.adapters.dynamodb.failures import Refused
from relay.adapters.dynamodb.registering import Registering, member_of
from relay.adapters.dynamodb.store import Store, fence
from relay.adapters.dynamodb.values import Item
from relay.adapters.dynamodb.vault_item import Vault, vault_of
from relay.ports import (
    Device,
    Revocation,
    Roster,
    Signer,
    Standing,
)

R = TypeVar("R")

_AFTER_ANY_ID = "~"
_AFTER_ANY_DEVICE = "\U0010ffff"


class Members(Registering):
    """The part of `relay.ports.Log` that is about devices; see there for what each method guarantees."""

    _store: Store

    def find_signer(self, device_id: str, vault_id: str | None) -> Signer | None:
        """See `Log.find_signer`. What it saw of the vault is kept for an append by the same thread.

        For a device that is not in the vault, it takes the same calls whether the vault is there or not: it does not
        wait for vault and end to be of one instant, by which a guesser could tell.
        """
        calls = self._store.begin()
        if vault_id is not None:
            key = keys.member(vault_id, device_id)
            view = self._store.view(calls, vault_id, only_with=key)
            member = view.item(key) if view else None
            if view is not None and member is not None:
                self._store.note(device_id, view)
                return Signer(member["key"], view.vault.standing(device_id, member))
        registrations = _registrations(calls, device_id)
        there = _live(calls, [item["sk"] for item in registrations])
        found = next((item for item in registrations if item["sk"] in there), None)
        return None if found is None else Signer(found["key"], Standing.STRANGER)

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
        return Roster(vault.epoch, [member_of(one) for one in sorted(members, key=lambda one: one["position"])])

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
