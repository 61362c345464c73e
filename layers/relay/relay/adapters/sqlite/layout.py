"""Where a log's files lie in the data directory, and with how many shards it was made.

One shard is `relay.sqlite3`, made with the directory when it is first needed. Several are `shards/07-of-16.sqlite3` and
so on. These are made aside, all of them, and the folder is then renamed into its place: it is there whole or not at
all. So a shard that is not there was lost, and is never made anew; nor is a store opened with another number of shards
than it was made with. Either would look like a store from which vaults are gone.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Callable
from errno import errorcode
from hashlib import sha256
from pathlib import Path
from threading import Lock

from relay.ports import StoreUnavailable

SINGLE = "relay.sqlite3"
FOLDER = "shards"
MAKING = "shards.making-"

_NAME = re.compile(r"[0-9]{2}-of-([0-9]{2})\.sqlite3")


def shard_of(key: bytes, shards: int) -> int:
    """Return the shard, from 0, that a vault's id or a limiter's key belongs to. It stays so for ever."""
    return int.from_bytes(sha256(key).digest()[:8]) % shards


def open_single(data_dir: Path) -> None:
    """Make the directory of a store that has one shard. Raises StoreUnavailable for a store with more, or OSError."""
    data_dir.mkdir(parents=True, exist_ok=True)
    _check_number(data_dir, 1)


class ShardFolder:
    """The files of a log with several shards. `make` creates one, with its schema, and closes it."""

    def __init__(self, data_dir: Path, shards: int, make: Callable[[Path], None]) -> None:
        assert 1 < shards < 100  # noqa: PLR2004 -- two digits in a name
        self._data_dir = data_dir
        self._folder = data_dir / FOLDER
        self._names = [f"{number:02}-of-{shards:02}.sqlite3" for number in range(shards)]
        self._make_file = make
        self._mutex = Lock()
        self._is_open = False

    @property
    def paths(self) -> list[Path]:
        """The files, in the order of the shards."""
        return [self._folder / name for name in self._names]

    def open(self) -> None:
        """See to it that all files are there; the data directory must be. Does nothing once that was seen.

        The directory is not made: where it is missing, a file system is not mounted. Raises StoreUnavailable.
        """
        with self._mutex:
            if self._is_open:
                return
            try:
                self._open()
            except OSError as error:
                raise StoreUnavailable(f"data directory: {errorcode.get(error.errno or 0, '?')}") from None
            self._is_open = True

    def _open(self) -> None:
        if not self._data_dir.is_dir():
            raise StoreUnavailable("data directory missing")
        _check_number(self._data_dir, len(self._names))
        if not self._folder.is_dir():
            self._make()
            _check_number(self._data_dir, len(self._names))
        missing = {*self._names} - {path.name for path in self._folder.iterdir()}
        if missing:
            raise StoreUnavailable(f"{len(missing)} of {len(self._names)} shards missing")

    def _make(self) -> None:
        """Make all files aside, then rename their folder. Of several processes one gets its folder into place."""
        aside = Path(tempfile.mkdtemp(prefix=MAKING, dir=self._data_dir))
        try:
            for name in self._names:
                self._make_file(aside / name)
            _sync(aside)
            aside.rename(self._folder)
        except (OSError, StoreUnavailable):
            if not self._folder.is_dir():  # else another process was first, and has removed our files
                raise
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        _sync(self._data_dir)
        for left in self._data_dir.glob(f"{MAKING}*"):  # by processes that were killed, or are too late
            shutil.rmtree(left, ignore_errors=True)


def _check_number(data_dir: Path, shards: int) -> None:
    found = {1} if (data_dir / SINGLE).exists() else set()
    if (data_dir / FOLDER).is_dir():
        names = (_NAME.fullmatch(path.name) for path in (data_dir / FOLDER).iterdir())
        found |= {int(name[1]) for name in names if name}
    if found - {shards}:
        there = " and ".join(map(str, sorted(found)))
        raise StoreUnavailable(f"RELAY_SQLITE_SHARDS is {shards}, the store was made with {there}")


def _sync(directory: Path) -> None:
    """Make the names in a directory survive the loss of power."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
