"""Vaults as a whole: what they are, erasing them, their epochs, listing them."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from relay.adapters.dynamodb import keys
from relay.adapters.dynamodb.calls import Calls
from relay.adapters.dynamodb.entries import EMPTY, marker, new_token
from relay.adapters.dynamodb.failures import Refused
from relay.adapters.dynamodb.snapshot_items import view_with_records
from relay.adapters.dynamodb.store import Store, View, fence
from relay.ports import VaultInfo
from relay_protocol.chain import Head

VAULTS_AT_A_TIME = 500
_AFTER_ANY_ID = "~"


class Vaults:
    """The part of `relay.ports.Log` that is about whole vaults; see there for what each method guarantees."""

    _store: Store

    def vault(self, vault_id: str, now_ms: int) -> VaultInfo | None:
        """See `Log.vault`."""
        found = view_with_records(self._store, self._store.begin(), vault_id)
        if found is None:
            return None
        (vault, tail), records = (found[0].vault, found[0].tail), found[1]
        there = [record for record in records if record.is_there(now_ms)]
        return VaultInfo(
            epoch=vault.epoch,
            created_at_ms=vault.created_at_ms,
            head=tail.head,
            floor=vault.floor,
            members=len(vault.active),
            changeset_bytes=vault.changeset_bytes(tail),
            snapshots=sorted(there, key=lambda record: record.created_at_ms, reverse=True),
        )

    def erase(self, vault_id: str, if_match: bytes) -> Head | None:
        """See `Log.erase`. A tombstone takes the vault's place; no append that was planned before is stored after."""
        calls = self._store.begin()
        while True:
            view = self._store.view(calls, vault_id)
            if view is None:
                return None
            if view.tail.head.chain != if_match:
                return view.tail.head
            try:
                self._erase(calls, view)
            except Refused:
                calls.pause()
            else:
                return None

    def _erase(self, calls: Calls, view: View) -> None:
        vault_id, token = view.vault.vault_id, new_token()
        _, condition, values = view.vault.put()
        slot, values_of_slot = view.tail.condition()
        now_ms = self._store.now_ms()
        work = {**keys.erased(vault_id, now_ms), "vault": vault_id, "erased_at": now_ms, "slot": view.tail.slot}
        calls.transact(
            calls.put_with({**keys.vault(vault_id), "erased": True}, condition, **values),
            calls.put_with(marker(vault_id, view.tail, token, token), slot, **values_of_slot),
            calls.put_with(work, EMPTY),
            calls.delete_with(keys.live(vault_id)),
        )

    def renew_epochs(self, draw: Callable[[], str]) -> int:
        """See `Log.renew_epochs`. Vault by vault: a call that fails may have renewed some, and is repeated."""
        count, after = 0, ""
        while ids := self.vault_ids(after, VAULTS_AT_A_TIME):
            count += sum(self._renew_epoch(vault_id, draw()) for vault_id in ids)
            after = ids[-1]
        return count

    def _renew_epoch(self, vault_id: str, epoch: str) -> bool:
        calls = self._store.begin()
        while True:
            view = self._store.view(calls, vault_id, torn=True)
            if view is None:
                return False
            try:
                calls.transact(*fence(calls, view.tail, replace(view.vault, epoch=epoch)))
            except Refused:
                calls.pause()
            else:
                return True

    def vault_ids(self, after: str, limit: int) -> Sequence[str]:
        """See `Log.vault_ids`."""
        calls = self._store.begin()
        found: list[str] = []
        for digit in keys.DIGITS[keys.DIGITS.index(after[:1] or "0") :]:
            begin = after if after.startswith(digit) else digit
            more = limit - len(found) + 1  # one of them may be `after` itself
            items = calls.query_all(f"L#{digit}", begin, _AFTER_ANY_ID, limit=more)
            found += [item["sk"] for item in items if item["sk"] > after]
            if len(found) >= limit:
                break
        return found[:limit]
