"""A profile: one device of one vault, in a folder. Every change of it is one transaction."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from sqlite3 import Connection
from typing import Self

from nacl.utils import random

from sync_relay_client.errors import ProfileBroken, ProfileMissing, ProfileUnavailable
from sync_relay_client.profile.api_key import find_api_key, keep_api_key
from sync_relay_client.profile.database import Database, failures
from sync_relay_client.profile.private_file import check_folder, check_private
from sync_relay_client.profile.queues import Inbox, Outbox
from sync_relay_client.profile.record import Record, Records
from sync_relay_client.profile.secrets import (
    KEY_BYTES,
    KEY_FILE,
    KeyringChoice,
    load_or_create_profile_key,
)
from sync_relay_client.profile.spool import FOLDER as SPOOL_FOLDER
from sync_relay_client.profile.spool import Spool
from sync_relay_client.session import VaultSession
from sync_relay_client.words import recovery_words

FILE = "state.sqlite3"
INBOX_LIMIT = 1_000
_SUFFIXES = ("", "-wal", "-shm")


class Profile:
    """The state of one device. Several processes may have the same folder open; use one object from one thread."""

    def __init__(self, folder: Path, spool: Spool, database: Database, profile_key: bytes) -> None:
        self.folder = folder
        self.spool = spool
        self._database = database
        self._profile_key = profile_key
        self._file: Path | None = None

    @classmethod
    def open(cls, folder: Path, keyring: KeyringChoice = "auto", *, create: bool = False) -> Self:
        """Open a folder's profile, or make one. Raises ProfileError: missing, unsafe, broken or unavailable."""
        path = folder / FILE
        try:
            _prepare(folder, create=create)
        except OSError as error:
            raise ProfileUnavailable(f"the profile's folder can't be used: {error.strerror}") from error
        key = load_or_create_profile_key(folder, keyring)
        profile = cls(folder, Spool(folder), Database(path), key)
        profile.spool.clean(profile.spooled)
        return profile

    def aside(self) -> "Profile":
        """Return a profile that is gone once it is closed; a log that is read in it may be of any size.

        Its file and its blobs under way are in this one's spool: what a crash leaves of them is removed as all that it
        leaves, and the key that its secrets are sealed under is gone with the process.
        """
        file = self.spool.new("aside")
        profile = Profile(self.folder, self.spool, Database(file), random(KEY_BYTES))
        profile._file = file
        return profile

    @property
    def connection(self) -> Connection:
        """The connection, for the app's own tables; write within `outbox` or `inbox` only."""
        return self._database.connection

    def api_key(self, given: str | None = None) -> str | None:
        """Return the relay's API key: the one that is given, which is then kept, or the one that was.

        Raises ProfileError.
        """
        known = find_api_key(self.folder, self._profile_key) if given is None else given
        if given is not None:
            keep_api_key(self.folder, self._profile_key, given)
        return known

    def recovery_words(self) -> str | None:
        """Return the recovery sheet's words; None once they are forgotten, and where there never were any."""
        with self.view() as view:
            entropy = view.device().secrets.recovery
        return None if entropy is None else recovery_words(entropy)

    def forget_recovery_words(self) -> None:
        """Forget the words, also what the write-ahead log holds of them, unless another process reads just now."""
        with self.transaction() as transaction:
            transaction.records.forget_recovery()
        self._database.checkpoint()

    def close(self) -> None:
        """Close the files."""
        if self._file is None:
            self.spool.close()
            self._database.close()
            return
        try:
            left = self.spooled()
        finally:
            self._database.close()
            self._file.unlink()
        for name in left:
            self.spool.path(name).unlink(missing_ok=True)

    @contextmanager
    def transaction(self) -> Iterator["Transaction"]:
        """Write: all of it or nothing. Raises ProfileUnavailable."""
        with self._database.transaction() as connection:
            yield self._transaction(connection)

    @contextmanager
    def view(self) -> Iterator["Transaction"]:
        """Read from one consistent state. Raises ProfileUnavailable."""
        with self._database.view() as connection:
            yield self._transaction(connection)

    @contextmanager
    def outbox(self) -> Iterator[Outbox]:
        """Record changes together with what the app writes; see `Outbox`."""
        with self._database.shared_transaction() as connection:
            self._transaction(connection).session()  # there must be a vault to send to
            yield Outbox(connection)

    @contextmanager
    def inbox(self, limit: int = INBOX_LIMIT) -> Iterator[Inbox]:
        """Apply changes together with what the app writes; see `Inbox`. An exception leaves them where they are."""
        with self._database.shared_transaction() as connection:
            with failures():
                inbox = Inbox(connection, limit, self.folder)
            yield inbox
            with failures():
                inbox.settle()
        if inbox.restored is not None:
            inbox.restored.path.unlink(missing_ok=True)

    def discard(self, *files: Path) -> None:
        """Remove files of the spool, except those that a row names by now."""
        named = self.spooled()
        for file in files:
            if self.spool.name(file) not in named:
                file.unlink(missing_ok=True)

    def spooled(self) -> set[str]:
        """Return the files of the spool that rows name."""
        with self.view() as view:
            return view.spooled()

    def _transaction(self, connection: Connection) -> "Transaction":
        return Transaction(connection, Records(connection, self._profile_key))


def _prepare(folder: Path, *, create: bool) -> None:
    """Make the folder if it may be made, and see that a profile that is there is whole, and open to nobody else."""
    is_new = not (folder / FILE).exists()
    if is_new and not create:
        raise ProfileMissing("there is no profile in this folder")
    if is_new:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    elif not (folder / KEY_FILE).exists():  # it is made first
        raise ProfileBroken(f"{KEY_FILE} is gone, and nothing else opens what the profile holds")
    _check_unshared(folder)


def _check_unshared(folder: Path) -> None:
    """Raise ProfileUnsafe if others can read what the profile holds, or put something else in its place."""
    check_folder(folder)
    for name, check in ((SPOOL_FOLDER, check_folder), *((FILE + suffix, check_private) for suffix in _SUFFIXES)):
        with suppress(FileNotFoundError, ProfileMissing):  # whoever closes the file last removes two of them
            check(folder / name)


def open_in_vault(folder: Path, keyring: KeyringChoice) -> Profile:
    """Open the profile of a device that is in a vault. Raises ProfileMissing if it is in none yet."""
    profile = Profile.open(folder, keyring)
    try:
        with profile.view() as view:
            view.session()
    except BaseException:
        profile.close()
        raise
    return profile


class Transaction:
    """What flows read and write of a profile, in one transaction."""

    def __init__(self, connection: Connection, records: Records) -> None:
        self.connection = connection
        self.records = records

    def device(self) -> Record:
        """Return who this device is. Raises ProfileMissing."""
        record = self.records.find()
        if record is None:
            raise ProfileMissing("there is no device in this folder")
        return record

    def session(self) -> VaultSession:
        """Return what the device holds of its vault. Raises ProfileMissing before it is in one."""
        return self.records.session()

    def passed_over(self) -> set[int]:
        """Return the seqs at which a RotatedOut is not raised, with the user's consent."""
        return {row[0] for row in self.connection.execute("SELECT seq FROM sync_relay_passed_over")}

    def pass_over(self, seqs: Iterable[int]) -> None:
        """Note the user's consent to leave changesets out."""
        self.connection.executemany("INSERT OR IGNORE INTO sync_relay_passed_over VALUES (?)", [(seq,) for seq in seqs])

    def spooled(self) -> set[str]:
        """Return the files that rows name."""
        rows = self.connection.execute("SELECT file FROM sync_relay_uploads UNION SELECT file FROM sync_relay_restored")
        return {row[0] for row in rows}
