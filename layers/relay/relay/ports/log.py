"""The log: vaults, members, changesets, and the records of snapshots."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from relay.ports.changesets import AppendPlan, LogState, Page, PruneStep
from relay.ports.members import Device, PairingPlan, PairingState, Revocation, Roster, Signer, VaultInfo
from relay.ports.snapshots import AnnouncePlan, AnnounceState, SnapshotRecord
from relay_protocol.chain import Head

R = TypeVar("R")
T = TypeVar("T")


class Log(Protocol):
    """Vaults, members, changesets and the records of snapshots. A vault is live, erased for ever, or absent."""

    def ping(self) -> None:
        """Return if the store can answer."""

    def find_signer(self, device_id: str, vault_id: str | None) -> Signer | None:
        """Return the device's key and its standing in the vault (STRANGER where None is given).

        None if it was never registered in a vault that still exists. Takes the same reads for a vault
        that is absent and for one that the device is not in.
        """

    def register(
        self,
        vault_id: str,
        device_id: str,
        endorser_id: str | None,
        now_ms: int,
        plan: Callable[[PairingState], PairingPlan[R]],
    ) -> R:
        """Create the vault (`created_at` is `now_ms`) and add the member, as the plan says; return its outcome."""

    def companion(self, signer_id: str, device_id: str) -> Device | None:
        """Return a device that is or was in a vault of which the signer is a member, or that is the signer."""

    def roster(self, vault_id: str) -> Roster | None:
        """Return all devices of a vault; None if it is not live."""

    def revoke(self, vault_id: str, device_id: str, now_ms: int) -> Revocation:
        """Revoke a device. NOT_FOUND also if the vault is not live. Repeating it changes nothing."""

    def vault(self, vault_id: str, now_ms: int) -> VaultInfo | None:
        """Return the vault; None if it is not live."""

    def erase(self, vault_id: str, if_match: bytes) -> Head | None:
        """Erase the vault if `if_match` is its head's chain: return None, also if the vault is not live.

        Else change nothing and return the head. From this step on the vault is erased for every method and its
        members are strangers; its changesets may be removed later, by `sweep`.
        """

    def sweep(self, max_rows: int) -> bool:
        """Remove up to `max_rows` rows that erasures left, perhaps by several steps; return whether there is more.

        Repeating it is safe.
        """

    def reap(self, after: str, limit: int) -> str | None:
        """Look at up to `limit` things that appends put aside before their last step, in order, from a place on.

        Remove those whose append never ended and never will. Return the place to go on from, or None at the end.
        `after` is "" to begin, such a place, or a vault's id. A store that puts nothing aside is at its end at once.
        """

    def renew_epochs(self, draw: Callable[[], str]) -> int:
        """Give every vault a new epoch from `draw`; return how many there are.

        It is one step for each vault, and for all where they are kept together. A call that failed is repeated.
        """

    def append(
        self,
        vault_id: str,
        device_id: str,
        ids: Sequence[str],
        now_ms: int,
        plan: Callable[[LogState], AppendPlan[R]],
    ) -> R | None:
        """Store the plan's records and return its outcome; None if the vault is not live.

        Appends to one vault are serial: each sees the head that the one before it left. What is stored is in
        every `page` that starts after this returns, and its receipts are in `known` of every later append.
        """

    def page(self, vault_id: str, since: int, limit: int, max_bytes: int) -> Page | None:
        """Return up to `limit` records after `since`, ascending from since + 1; None if the vault is not live.

        Ends before the sum of `size_bytes` would pass `max_bytes`, but holds one record if there is one.
        """

    def announce(
        self,
        vault_id: str,
        sha256: bytes,
        covers_seq: int,
        now_ms: int,
        plan: Callable[[AnnounceState], AnnouncePlan[R]],
    ) -> R | None:
        """Store the plan's snapshot and return its outcome; None if the vault is not live."""

    def snapshot(self, vault_id: str, sha256: bytes, now_ms: int) -> tuple[str, SnapshotRecord | None] | None:
        """Return epoch and the snapshot, if it is there; None if the vault is not live."""

    def complete(self, vault_id: str, blob_key: str, now_ms: int) -> SnapshotRecord | None:
        """Make the snapshot with this blob available and return it; None if it is not there (any more).

        Repeating it changes nothing.
        """

    # -------- retention

    def vault_ids(self, after: str, limit: int) -> Sequence[str]:
        """Return up to `limit` ids of live vaults greater than `after` (`""` to begin), in ascending order."""

    def drop_snapshots(self, vault_id: str, blob_keys: Sequence[str], now_ms: int) -> None:
        """Remove the records with these blobs, and those of pending snapshots that have expired."""

    def prune(self, vault_id: str, received_before_ms: int, max_rows: int) -> PruneStep | None:
        """Drop the texts of the oldest changesets, keeping their receipts, and raise the floor.

        Takes up to `max_rows`, in order of seq, as long as an *available* snapshot covers them and they were
        received before the given time. None if the vault is not live. It may take several atomic steps, after each of
        which the log is whole; a call that failed may have done some of them.
        """


class GroupCommit(Protocol):
    """What a log offers besides, where a commit waits for a disk: to commit once what several calls do."""

    def together(self, calls: Sequence[Callable[[], T]]) -> list[T]:
        """Run calls in this thread, one after the other; return their results once all that they did is durable.

        Every method of the log that a call uses is a step of one transaction, and sees those before it. Where the
        transaction can't be, nothing of it has happened, and each call is run again: on its own, or, if that would be
        to wait again, against a log that raises StoreUnavailable. So a call must not raise, must be safe to repeat, and
        must do nothing but by this log that presumes what it did there.
        """
