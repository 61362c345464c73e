"""A profile's files: private, refused where others can read them, without a secret in clear, and never made anew."""

import os
import resource
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pytest

from relay_protocol.encoding import base64url
from sync_relay_client import Vault
from sync_relay_client.errors import ProfileBroken, ProfileMissing, ProfileUnavailable, ProfileUnsafe
from sync_relay_client.profile import Profile
from sync_relay_client.profile.profile import FILE
from sync_relay_client.profile.secrets import KEY_FILE
from sync_relay_client.profile.spool import Spool
from tests.client.app import applied, change_of, found, pair, record, sync, write
from tests.client.relay_in_process import RelayInProcess

STATE_FILES = [FILE, FILE + "-wal", FILE + "-shm"]


@pytest.fixture
def folder(home: Path) -> Path:
    return home / "this"


@pytest.fixture
def vault(relay: RelayInProcess, folder: Path) -> Iterator[Vault]:
    with found(relay, folder, recovery=True) as vault:
        yield vault


def reopen(relay: RelayInProcess, folder: Path) -> Vault:
    return Vault.open(folder, options=relay.options())


# ---------------------------------------------------------------- modes


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("open_umask")
def test_all_files_are_private_whatever_the_umask_is(relay: RelayInProcess, folder: Path) -> None:
    seen: dict[str, int] = {}

    def look(*_: object) -> None:
        for path in (folder, *folder.rglob("*")):
            seen[path.name.partition("-")[0] if path.parent.name == "spool" else path.name] = path.stat().st_mode

    def write_and_look(file: BinaryIO, connection: sqlite3.Connection) -> None:
        write(file, connection)
        look()

    with found(relay, folder) as vault:
        record(vault, [b"a change"])
        sync(vault)
        vault.snapshot(write_and_look, progress=look)
        look()
    assert {"spool", "content", "upload", KEY_FILE, *STATE_FILES} <= seen.keys()
    modes = {(stat.S_ISDIR(mode), stat.S_IMODE(mode)) for mode in seen.values()}
    assert modes == {(True, 0o700), (False, 0o600)}


@pytest.mark.parametrize("name", [KEY_FILE, *STATE_FILES])
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o602])
def test_a_profile_that_others_can_read_is_refused(
    relay: RelayInProcess, folder: Path, vault: Vault, name: str, mode: int
) -> None:
    assert not vault.status().erased, "it is open: the write-ahead log and its index are there"
    (folder / name).chmod(mode)
    with pytest.raises(ProfileUnsafe, match=name):
        reopen(relay, folder)


@pytest.mark.parametrize("name", ["this", "spool"])
@pytest.mark.parametrize("mode", [0o770, 0o702, 0o777])
def test_a_folder_in_which_others_could_swap_files_is_refused(
    relay: RelayInProcess, folder: Path, vault: Vault, name: str, mode: int
) -> None:
    vault.snapshot(write)
    (folder if name == "this" else folder / name).chmod(mode)
    with pytest.raises(ProfileUnsafe, match=name):
        reopen(relay, folder)


def test_a_folder_that_others_can_list_will_do(relay: RelayInProcess, folder: Path) -> None:
    """An app's own folder, as most systems make it; what is in it is private still."""
    folder.mkdir()
    folder.chmod(0o755)
    found(relay, folder).close()
    reopen(relay, folder).close()


# ---------------------------------------------------------------- secrets


def secrets_of(vault: Vault) -> list[bytes]:
    with vault._profile.view() as view:
        secrets = view.device().secrets
    assert secrets.recovery is not None
    return [bytes(secrets.device.signing_key), secrets.recovery, *(key.secret for key in secrets.vault_keys)]


def test_no_secret_is_in_clear_in_any_file(folder: Path, vault: Vault) -> None:
    vault.rotate()
    vault.snapshot(write)
    words = vault.recovery_words()
    assert words is not None
    forms = [words.encode(), vault.device_id.encode()]
    for secret in secrets_of(vault):
        forms += [secret, base64url(secret).encode(), secret.hex().encode()]
    held = {form for form in forms for path in folder.rglob("*") if path.is_file() and form in path.read_bytes()}
    assert held == {vault.device_id.encode()}, "the id is there in clear, so the search sees what is there"


def test_forgotten_words_can_not_be_dug_up(folder: Path, vault: Vault) -> None:
    """Not even sealed: who gets the folder some day has the profile's key, too."""
    sealed = vault._profile.connection.execute("SELECT secrets FROM sync_relay_device").fetchone()[0]
    vault.forget_recovery_words()
    assert vault.recovery_words() is None
    assert not [path for path in folder.rglob("*") if path.is_file() and sealed[:64] in path.read_bytes()]


# ---------------------------------------------------------------- the key


def test_a_lost_key_is_not_made_anew(relay: RelayInProcess, folder: Path, vault: Vault) -> None:
    vault.close()
    key = (folder / KEY_FILE).read_bytes()
    (folder / KEY_FILE).unlink()
    for attempt in (
        lambda: reopen(relay, folder),
        lambda: found(relay, folder),
        lambda: Vault.request(folder, options=relay.options()),
    ):
        with pytest.raises(ProfileBroken, match=KEY_FILE):
            attempt()
        assert not (folder / KEY_FILE).exists()
    (folder / KEY_FILE).write_bytes(key)
    (folder / KEY_FILE).chmod(0o600)
    reopen(relay, folder).close()


def test_another_profile_s_key_is_refused(relay: RelayInProcess, folder: Path, home: Path, vault: Vault) -> None:
    found(relay, home / "another").close()
    shutil.copy(home / "another" / KEY_FILE, folder / KEY_FILE)
    with pytest.raises(ProfileBroken, match="key"):
        reopen(relay, folder)
    assert vault.recovery_words() is not None


def test_a_profile_of_a_later_version_is_refused(relay: RelayInProcess, folder: Path, vault: Vault) -> None:
    vault._profile.connection.execute("UPDATE sync_relay_device SET version = version + 1")
    with pytest.raises(ProfileBroken, match="version"):
        reopen(relay, folder)


def test_there_is_no_profile(relay: RelayInProcess, folder: Path, home: Path) -> None:
    with pytest.raises(ProfileMissing):
        reopen(relay, folder)
    Vault.request(home / "asking", options=relay.options())
    with pytest.raises(ProfileMissing):
        reopen(relay, home / "asking")
    with pytest.raises(ProfileMissing):
        Vault.join(folder, "anything", options=relay.options())
    assert not folder.exists()


# ---------------------------------------------------------------- the disk


def test_a_folder_that_can_not_be_made(relay: RelayInProcess, home: Path) -> None:
    (home / "file").touch()
    for begin in (lambda folder: found(relay, folder), Vault.request):
        with pytest.raises(ProfileUnavailable, match="folder"):
            begin(home / "file" / "profile")


def test_a_file_that_is_no_database(relay: RelayInProcess, folder: Path, vault: Vault) -> None:
    vault.close()
    (folder / FILE).write_bytes(b"not a database, but long enough to look like one " * 100)
    with pytest.raises(ProfileUnavailable):
        reopen(relay, folder)


def test_a_database_that_is_damaged(relay: RelayInProcess, folder: Path, vault: Vault) -> None:
    record(vault, [b"a change"])
    vault.close()
    content = bytearray((folder / FILE).read_bytes())
    page = int.from_bytes(content[16:18], "big")
    content[page:] = b"\xff" * (len(content) - page)
    (folder / FILE).write_bytes(content)
    with pytest.raises(ProfileUnavailable), reopen(relay, folder) as damaged:
        damaged.sync()


def test_a_full_disk_loses_nothing(folder: Path, vault: Vault) -> None:
    record(vault, [b"recorded before"])
    sync(vault)
    connection = vault._profile.connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(ProfileUnavailable, match="FULL"):
        vault.push(*(change_of(bytes(100_000)) for _ in range(3)))
    assert vault.status().outbox == 0
    connection.execute("PRAGMA max_page_count = 1000000")
    record(vault, [b"recorded after"])
    sync(vault)
    assert applied(folder) == [b"recorded before", b"recorded after"]


def test_a_full_disk_while_pulling_keeps_what_was_verified(
    relay: RelayInProcess, folder: Path, home: Path, vault: Vault
) -> None:
    with pair(vault, home / "other", relay.options()) as other:
        other.push(*(change_of(bytes([number]) * 50_000) for number in range(10)))
        connection = vault._profile.connection
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 20}")
        before = vault.head
        with pytest.raises(ProfileUnavailable, match="FULL"):
            vault.pull()
        assert (vault.head, vault.status().inbox) == (before, 0)
        connection.execute("PRAGMA max_page_count = 1000000")
        sync(vault)
        assert len(applied(folder)) == 10


def test_a_database_that_another_process_holds(folder: Path, vault: Vault) -> None:
    vault._profile.connection.execute("PRAGMA busy_timeout = 0")
    holder = sqlite3.connect(folder / FILE, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(ProfileUnavailable, match="BUSY"):
        record(vault, [b"a change"])
    holder.execute("ROLLBACK")
    holder.close()
    record(vault, [b"a change"])
    assert vault.status().outbox == 1


def test_a_vault_that_was_closed_says_so(vault: Vault) -> None:
    vault.close()
    for use in (vault.status, vault.sync, lambda: record(vault, [b"a change"])):
        with pytest.raises(ValueError, match="closed"):
            use()


def test_an_app_that_can_not_write_its_snapshot(folder: Path, vault: Vault) -> None:
    record(vault, [b"a change"])
    sync(vault)

    def fails(*_: object) -> None:
        raise OSError(28, "canary")

    with pytest.raises(OSError, match="canary"):
        vault.snapshot(fails)
    assert not list((folder / "spool").glob("*"))
    sync(vault)


@contextmanager
def largest_file(size_bytes: int) -> Iterator[None]:
    """Let the disk take no file that is larger."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("room", ["for neither", "for the blob"])
def test_a_disk_too_small_for_a_snapshot(
    relay: RelayInProcess, folder: Path, home: Path, vault: Vault, room: str
) -> None:
    """Neither the download nor its content fits. Once there is room, the device goes on."""
    code = vault.invite(Vault.request(home / "new", options=relay.options()))
    record(vault, [bytes(300_000)])
    sync(vault)
    vault.snapshot(write)
    relay.prune()
    with Vault.join(home / "new", code, options=relay.options()) as new:
        blob_bytes = 600_000  # the content, in hexadecimal, and its frames
        with largest_file(200_000 if room == "for neither" else blob_bytes), pytest.raises(ProfileUnavailable):
            new.pull()
        assert (new.head.seq, new.status().restored) == (0, False)
        assert not list((home / "new" / "spool").glob("*"))
        sync(new)
    assert applied(home / "new") == applied(folder)


def test_a_disk_too_small_for_a_sealed_snapshot(folder: Path, vault: Vault) -> None:
    size_bytes = 300_000
    with largest_file(size_bytes), pytest.raises(ProfileUnavailable):
        vault.snapshot(lambda file, _: file.writelines([bytes(size_bytes)]))  # sealed it is larger
    assert not list((folder / "spool").glob("*"))
    assert vault.status().uploads == 0


def test_a_profile_opens_while_another_process_writes(relay: RelayInProcess, folder: Path, vault: Vault) -> None:
    """A look at the status need not wait for an app that takes its time to apply."""
    with vault.outbox() as outbox:
        outbox.add(change_of(b"a change"))
        with reopen(relay, folder) as another:
            assert another.status().outbox == 0


# ---------------------------------------------------------------- the spool


def test_what_crashes_left_is_removed_once_nobody_else_is_at_work(relay: RelayInProcess, folder: Path) -> None:
    """It may be the whole vault, in the clear. Beside another process only what is days old is sure to be nobody's."""
    found(relay, folder).close()
    other = Spool(folder)
    other.new("content")
    spool = folder / "spool"
    for name in ("download-old", "download-new"):
        (spool / name).touch(mode=0o600)
    os.utime(spool / "download-old", (0, 0))
    reopen(relay, folder).close()
    assert [path.name for path in spool.glob("*")] == ["download-new"]
    other.close()
    reopen(relay, folder).close()
    assert not list(spool.glob("*"))


def test_a_file_that_another_process_removes_meanwhile_is_no_failure(
    relay: RelayInProcess, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found(relay, folder).close()
    monkeypatch.setattr(Path, "glob", lambda path, _: iter([path / "gone"]))
    Profile.open(folder, "file").close()


def test_the_log_file_of_another_process_that_ends_meanwhile_is_no_failure(
    relay: RelayInProcess, folder: Path, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault.close()
    assert not (folder / (FILE + "-wal")).exists()
    monkeypatch.setattr(Path, "exists", lambda _: True)
    reopen(relay, folder).close()
