"""One device of the demo: a ledger kept in step with a vault, by the client's SDK alone."""

import time
import uuid
from datetime import UTC, datetime

from demo.ledger import Directive, Ledger
from sync_relay_client import Change, DeviceKey, Invitation, OpenedChange, RelayClient, VaultSession

BATCH = 100
INVITATION_SECONDS = 600
SCHEMA_VERSION = 1


class LedgerDevice:
    """A device, what it verified of the vault, and its ledger."""

    def __init__(self, name: str, relay_url: str, device: DeviceKey) -> None:
        self.name = name
        self.ledger = Ledger()
        self.changes_applied = 0
        self.bytes_sealed = 0
        self._key = device
        self._relay_url = relay_url
        self._client = RelayClient(relay_url, device)
        self._session: VaultSession | None = None

    @classmethod
    def found(cls, name: str, relay_url: str) -> "LedgerDevice":
        """Found a new vault."""
        device = cls(name, relay_url, DeviceKey.generate())
        vault_id = str(uuid.uuid4())
        registered = device._client.register(vault_id)
        device._session = VaultSession.found(device._key, vault_id, registered.epoch)
        return device

    @classmethod
    def join(cls, name: str, key: DeviceKey, code: str) -> "LedgerDevice":
        """Join by an invitation."""
        invitation = Invitation.open(code, key)
        device = cls(name, invitation.relay_url, key)
        device._client.register(invitation.vault_id, invitation.endorsement)
        device._session = VaultSession.join(key, invitation)
        return device

    @property
    def session(self) -> VaultSession:
        """What was verified."""
        assert self._session is not None
        return self._session

    def invite(self, public_key: bytes) -> str:
        """Admit a device in the log, and return the code for it alone."""
        self._client.vault(self.session.vault_id).push([self.session.admit(public_key)])
        self.pull()
        return self.session.invite(public_key, self._relay_url, int(time.time()) + INVITATION_SECONDS)

    def push(self, edits: list[tuple[str, Directive | None]]) -> None:
        """Seal and push edits: a directive to put, or None to remove what is there."""
        vault = self._client.vault(self.session.vault_id, self.session.epoch)
        for start in range(0, len(edits), BATCH):
            envelopes = [
                self.session.seal(self._change(*edit), SCHEMA_VERSION) for edit in edits[start : start + BATCH]
            ]
            vault.push(envelopes)
            self.bytes_sealed += sum(len(envelope.ciphertext) for envelope in envelopes)

    def pull(self) -> None:
        """Pull, verify and apply what is new, page by page."""
        vault = self._client.vault(self.session.vault_id, self.session.epoch)
        while True:
            page = vault.pull(self.session.head.seq)
            for opened in self.session.open_page(page):
                self._apply(opened)
            if not page.has_more:
                return

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _change(self, entity_id: str, directive: Directive | None) -> Change:
        kind, payload = ("-", b"") if directive is None else (directive.kind, directive.payload())
        operation = "delete" if directive is None else "upsert"
        return Change(self.name, datetime.now(UTC).isoformat(), operation, kind, entity_id, payload)

    def _apply(self, opened: OpenedChange) -> None:
        if opened.is_own_operation:
            return
        self.changes_applied += 1
        change = opened.change
        if change.operation_type == "delete":
            self.ledger.remove(change.entity_id)
        else:
            self.ledger.put(change.entity_id, Directive.from_payload(change.payload))
