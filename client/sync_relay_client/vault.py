"""A vault, as an app uses it: record, push, pull, apply. All else (keys, seals, proofs, retries) happens below."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import Lock, get_ident
from types import TracebackType
from typing import Self, TypeVar

from relay_protocol.chain import Head
from sync_relay_client.envelope import Change
from sync_relay_client.flow import Flow, Progress, drive
from sync_relay_client.flows import (
    epochs,
    leaving,
    pairing,
    pulling,
    pushing,
    restoring,
    roster,
    rotating,
    snapshotting,
    upkeep,
)
from sync_relay_client.flows.link import Link
from sync_relay_client.options import INVITATION_SECONDS, WATCH_SECONDS, Options
from sync_relay_client.profile import Inbox, Outbox, Profile, open_in_vault
from sync_relay_client.profile.profile import INBOX_LIMIT
from sync_relay_client.recovery import RecoverySheet
from sync_relay_client.status import Status, status_of
from sync_relay_client.transport import Transport
from sync_relay_client.words import read_recovery_words

R = TypeVar("R")


class Vault:
    """One device of one vault, in a folder of its own. Safe for several threads, one at a time; and processes.

    Every method that asks the relay raises RelayUnreachable or RelayRefused once it has given up, and an error of
    its own for each way in which the relay could cheat (see `errors`). After any of them, nothing that the profile
    holds has changed but what had been verified, or acknowledged, before.
    """

    def __init__(self, profile: Profile, options: Options) -> None:
        self._profile = profile
        self._options = options
        self._link = Link(profile, options.retry, options.clock)
        try:
            self._api_key = profile.api_key(options.api_key)
        except BaseException:
            profile.close()
            raise
        self._transport = Transport(
            options.transport, options.timeout_seconds, options.clock, options.sleep, self._api_key
        )
        self._turn = _Turn()

    # ------------------------------------------------------------ beginning

    @classmethod
    def create(
        cls,
        folder: Path,
        relay_url: str,
        *,
        recovery: bool = True,
        creation_token: str | None = None,
        options: Options | None = None,
    ) -> Self:
        """Found a vault. With `recovery`, its 24 words are in `recovery_words` until they are forgotten.

        What a crash cut short goes on when it is called again. Raises ProfileTaken if the folder is of another vault.
        """
        return cls._begun(
            folder, options, lambda link: pairing.create(link, relay_url, creation_token, recovery=recovery)
        )

    @classmethod
    def request(cls, folder: Path, *, options: Options | None = None) -> str:
        """Return what a new device shows to be invited: its public key, 43 characters. No secret."""
        profile = Profile.open(folder, (options or Options()).keyring, create=True)
        try:
            return pairing.request(profile)
        finally:
            profile.close()

    @classmethod
    def join(cls, folder: Path, invitation: str, *, options: Options | None = None) -> Self:
        """Take an invitation that was made for this folder's request. `pull` then reads the vault's history.

        In a vault that it is in already, a device takes keys and members anew: so one comes back that was away
        while a key was rotated and the history pruned. Raises InvitationInvalid, ProfileTaken or EpochChanged.
        """
        return cls._begun(folder, options, lambda link: pairing.join(link, invitation), create=False)

    @classmethod
    def recover(
        cls,
        folder: Path,
        relay_url: str,
        words: str,
        *,
        pass_over: Collection[int] = (),
        options: Options | None = None,
    ) -> Self:
        """Come back to a vault by its recovery sheet, on a new device. Raises RecoveryWordsInvalid.

        Where it raises RotatedOut, `pass_over` is what the method of this name is in a vault: consent, for these seqs.
        """
        sheet = RecoverySheet(read_recovery_words(words))
        return cls._begun(folder, options, lambda link: pairing.recover(link, relay_url, sheet, pass_over))

    @classmethod
    def open(cls, folder: Path, *, options: Options | None = None) -> Self:
        """Open a vault that this folder's device is in. Raises ProfileMissing, ProfileUnsafe or ProfileBroken."""
        chosen = options or Options()
        return cls(open_in_vault(folder, chosen.keyring), chosen)

    @classmethod
    def _begun(
        cls, folder: Path, options: Options | None, begin: Callable[[Link], Flow[None]], *, create: bool = True
    ) -> Self:
        chosen = options or Options()
        vault = cls(Profile.open(folder, chosen.keyring, create=create), chosen)
        try:
            vault._run(begin(vault._link))
        except BaseException:
            vault.close()
            raise
        return vault

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close files and connections."""
        self._transport.close()
        self._profile.close()

    # ------------------------------------------------------------ what is known here

    def status(self) -> Status:
        """Return where this device is and what waits; nobody is asked."""
        with self._turn, self._profile.view() as view:
            return status_of(view)

    @property
    def api_key(self) -> str | None:
        """The API key that its relay asks for, if one was given."""
        return self._api_key

    @property
    def device_id(self) -> str:
        """This device's id."""
        return self.status().device_id

    @property
    def head(self) -> Head:
        """The verified head."""
        return self.status().head

    def recovery_words(self) -> str | None:
        """Return the recovery sheet's 24 words; None once they are forgotten, and where there never were any."""
        with self._turn:
            return self._profile.recovery_words()

    def forget_recovery_words(self) -> None:
        """Forget the words, which are on paper now. They can't be shown again."""
        with self._turn:
            self._profile.forget_recovery_words()

    # ------------------------------------------------------------ the app's side

    def outbox(self) -> AbstractContextManager[Outbox]:
        """Record changes, in one transaction with what the app writes by `outbox.connection`."""
        return self._taking_turns(self._profile.outbox())

    def inbox(self, limit: int = INBOX_LIMIT) -> AbstractContextManager[Inbox]:
        """Apply up to `limit` pulled changes, in one transaction with what the app writes by `inbox.connection`.

        Left without an exception, they are applied and gone; else they stay. Where `inbox.restored` is there, the
        snapshot's content replaces what the app has, before the changes.
        """
        return self._taking_turns(self._profile.inbox(limit))

    # ------------------------------------------------------------ syncing

    def push(self, *changes: Change, schema_version: int = 1) -> pushing.Sent:
        """Record changes and send all that is recorded. Where that fails they are kept, for the next push or sync."""
        if changes:
            with self.outbox() as outbox:
                for change in changes:
                    outbox.add(change, schema_version=schema_version)
        return self._run(pushing.push(self._link))

    def pull(self, progress: Progress | None = None) -> pulling.Pulled:
        """Pull and verify what is new, into the inbox; where history was pruned, from the latest snapshot on."""
        return self._run(pulling.pull(self._link, progress))

    def sync(self) -> pushing.Synced:
        """Finish what was begun, pull, push, and verify what was sent."""
        return self._run(upkeep.keep_up(self._link))

    def watch(self, interval_seconds: float = WATCH_SECONDS) -> Iterator[pulling.Pulled]:
        """Sync for ever, and yield each time that there is something to apply; offline it goes on trying."""
        told = None
        while True:
            news = self._run(upkeep.look_for_news(self._link, told))
            if news is not None:
                told = news.head
                yield news
            self._options.sleep(interval_seconds)

    # ------------------------------------------------------------ snapshots

    def snapshot(
        self, write: snapshotting.Write, *, schema_version: int = 1, progress: Progress | None = None
    ) -> snapshotting.SnapshotMade:
        """Make a snapshot of the app's state, which `write` writes. Raises NotCaughtUp until the inbox is applied."""
        return self._run(snapshotting.snapshot(self._link, write, schema_version, progress))

    def restore(self, progress: Progress | None = None) -> bool:
        """Go on from the relay's latest snapshot, if it is ahead of what was verified; its content is in the inbox."""
        return self._run(restoring.restore(self._link, progress))

    # ------------------------------------------------------------ devices

    def devices(self) -> Sequence[roster.VaultDevice]:
        """Return the vault's devices, those that belong first."""
        return self._run(roster.devices(self._link))

    def invite(self, request: str, *, valid_seconds: int = INVITATION_SECONDS) -> str:
        """Admit the device that showed this request, and return the invitation for it alone.

        First compare `fingerprint` of the request with the new device's, out of band. Seven days are the most.
        """
        return self._run(pairing.invite(self._link, request, valid_seconds))

    def revoke(self, device_id: str) -> None:
        """End a device's belonging and rotate the vault key. What a crash cuts short, `sync` finishes."""
        self._run(rotating.revoke(self._link, device_id))

    def rotate(self) -> None:
        """Bring a new vault key to all who belong."""
        self._run(rotating.rotate(self._link))

    # ------------------------------------------------------------ when in doubt

    def verify(self) -> leaving.Verified:
        """Read the relay's whole log again and hold it against what this device has verified."""
        return self._run(leaving.verify(self._link))

    def pass_over(self, seq: int) -> None:
        """Consent to leave out the changeset at a seq that was refused as RotatedOut; the log goes on after it."""
        with self._turn, self._profile.transaction() as transaction:
            transaction.pass_over([seq])

    def accept_epoch(self) -> epochs.EpochAccepted:
        """Consent to go on at a relay whose store was restored from a backup, after EpochChanged."""
        return self._run(epochs.accept_epoch(self._link))

    def erase(self) -> None:
        """Erase the vault at the relay, for all devices and for ever. What this device holds stays."""
        self._run(leaving.erase(self._link))

    # ------------------------------------------------------------ below

    def _run(self, flow: Flow[R]) -> R:
        with self._turn:
            return drive(flow, self._transport.perform)

    @contextmanager
    def _taking_turns(self, inner: AbstractContextManager[R]) -> Iterator[R]:
        with self._turn, inner as entered:
            yield entered


class _Turn:
    """Lets threads do one thing at a time, and tells a thread that would wait for itself."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._owner = 0

    def __enter__(self) -> None:
        if self._owner == get_ident():
            raise ValueError("an inbox, outbox or callback of this vault is open: leave it first")
        self._lock.acquire()
        self._owner = get_ident()

    def __exit__(self, *_: object) -> None:
        self._owner = 0
        self._lock.release()
