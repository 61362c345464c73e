"""One device of the demo: a ledger kept in step with a vault, by the client's SDK alone."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from sqlite3 import Connection
from types import TracebackType
from typing import BinaryIO, Self

from demo.ledger import Directive, Ledger, text_of
from sync_relay_client import Change, Options, Vault

OPTIONS = Options(keyring="file")

Edit = tuple[str, Directive | None]
"""An entity id, and the directive to put there; None to remove what is there."""


class LedgerDevice:
    """A device: a vault in a folder of its own, and in the same file its ledger."""

    def __init__(self, folder: Path, vault: Vault) -> None:
        self.name = folder.name
        self.folder = folder
        self.vault = vault
        self.changes_applied = 0
        with vault.outbox() as outbox:
            Ledger(outbox.connection).prepare()

    @classmethod
    def found(cls, folder: Path, relay_url: str) -> Self:
        """Found a new vault."""
        return cls(folder, Vault.create(folder, relay_url, options=OPTIONS))

    @classmethod
    def join(cls, folder: Path, inviter: "LedgerDevice") -> Self:
        """Join a vault, as two people do: request, invitation."""
        invitation = inviter.vault.invite(Vault.request(folder, options=OPTIONS))
        return cls(folder, Vault.join(folder, invitation, options=OPTIONS))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.vault.close()

    def record(self, edits: Iterable[Edit]) -> None:
        """Note edits, to be sent at the next sync. They show in the ledger once they are in the log."""
        with self.vault.outbox() as outbox:
            for edit in edits:
                outbox.add(self._change(*edit))

    def sync(self) -> bool:
        """Sync, and apply what is new; return whether it went on from a snapshot."""
        pulled = self.vault.sync().pulled
        self.apply()
        return pulled.restored

    def apply(self) -> None:
        """Apply what was pulled, each portion in one transaction with its being taken from the inbox."""
        while self.vault.status().inbox or self.vault.status().restored:
            with self.vault.inbox() as inbox:
                ledger = Ledger(inbox.connection)
                if inbox.restored is not None:
                    with inbox.restored.open() as content:
                        ledger.replace(content)
                for opened in inbox:
                    ledger.apply(opened.change)
                self.changes_applied += len(inbox)

    def items(self) -> list[tuple[str, Directive]]:
        """Return the ledger's directives by entity id, in the order of the file."""
        with self.vault.outbox() as outbox:
            return Ledger(outbox.connection).items()

    def save(self, folder: Path) -> Path:
        """Write the ledger as a file; return it."""
        file = folder / f"{self.name}.beancount"
        file.write_text(text_of(self.items()))
        return file

    @staticmethod
    def write_snapshot(file: BinaryIO, connection: Connection) -> None:
        """Write a snapshot's content."""
        Ledger(connection).write(file)

    def _change(self, entity_id: str, directive: Directive | None) -> Change:
        kind, payload = ("-", b"") if directive is None else (directive.kind, directive.payload())
        operation = "delete" if directive is None else "upsert"
        return Change(self.name, datetime.now(UTC).isoformat(), operation, kind, entity_id, payload)
