"""The profile's key: made once whoever is first, private or refused, in the OS keyring only if that is a real one."""

import multiprocessing
import os
import sys
from pathlib import Path

import keyring
import pytest

from relay_protocol.encoding import base64url
from sync_relay_client.errors import ProfileBroken, ProfileError, ProfileMissing, ProfileUnsafe
from sync_relay_client.profile.private_file import check_private
from sync_relay_client.profile.secrets import KeyringChoice, load_or_create_profile_key

PROCESSES = 6


class FakeKeyring:
    """A keyring of the system, of which only the library's interface is used."""

    def __init__(self, priority: float = 5, *, forgetful: bool = False) -> None:
        self.priority = priority
        self.entries: dict[tuple[str, str], str] = {}
        self.locked = False
        self._forgetful = forgetful

    def set_password(self, service: str, name: str, secret: str) -> None:
        self._unlock()
        if not self._forgetful:
            self.entries[service, name] = secret

    def get_password(self, service: str, name: str) -> str | None:
        self._unlock()
        return self.entries.get((service, name))

    def delete_password(self, service: str, name: str) -> None:
        self._unlock()
        del self.entries[service, name]

    def _unlock(self) -> None:
        if self.locked:
            raise RuntimeError("canary: locked")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "profile"
    made.mkdir(mode=0o700)
    return made


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> FakeKeyring:
    """The system's keyring, unlocked."""
    return use(FakeKeyring(), monkeypatch)


def use(fake: FakeKeyring, monkeypatch: pytest.MonkeyPatch) -> FakeKeyring:
    monkeypatch.setattr(keyring.core, "_keyring_backend", fake)
    return fake


def test_a_key_is_made_once(folder: Path) -> None:
    key = load_or_create_profile_key(folder, "file")
    assert len(key) == 32
    assert load_or_create_profile_key(folder, "file") == key
    assert [path.name for path in folder.iterdir()] == ["profile.key"]
    check_private(folder / "profile.key")


def test_profiles_have_keys_of_their_own(folder: Path) -> None:
    other = folder / "other"
    other.mkdir()
    assert load_or_create_profile_key(folder, "file") != load_or_create_profile_key(other, "file")


def load_and_report(folder: Path, barrier: "multiprocessing.synchronize.Barrier", keys: object) -> None:
    barrier.wait()
    keys.put(load_or_create_profile_key(folder, "file"))  # type: ignore[attr-defined]


def test_processes_that_start_at_once_get_the_same_key(folder: Path) -> None:
    context = multiprocessing.get_context("fork")
    barrier, keys = context.Barrier(PROCESSES), context.Queue()
    processes = [context.Process(target=load_and_report, args=(folder, barrier, keys)) for _ in range(PROCESSES)]
    for process in processes:
        process.start()
    found = {keys.get(timeout=60) for _ in processes}
    for process in processes:
        process.join()
    assert len(found) == 1
    assert [path.name for path in folder.iterdir()] == ["profile.key"]


def test_the_key_of_whoever_was_first_stays(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real_link = os.link

    def link_after_another(aside: Path, path: Path) -> None:
        path.write_bytes(b"1" * 32)
        path.chmod(0o600)
        real_link(aside, path)

    monkeypatch.setattr(os, "link", link_after_another)
    assert load_or_create_profile_key(folder, "file") == b"1" * 32
    assert [path.name for path in folder.iterdir()] == ["profile.key"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o660])
def test_a_key_that_others_can_read_or_write_is_refused(folder: Path, mode: int) -> None:
    load_or_create_profile_key(folder, "file")
    (folder / "profile.key").chmod(mode)
    with pytest.raises(ProfileUnsafe, match="0600"):
        load_or_create_profile_key(folder, "file")


def test_a_folder_that_others_can_enter_is_refused(folder: Path) -> None:
    check_private(folder)
    folder.chmod(0o750)
    with pytest.raises(ProfileUnsafe, match="0700"):
        check_private(folder)


def test_another_user_s_key_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load_or_create_profile_key(folder, "file")
    other = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: other)
    with pytest.raises(ProfileUnsafe, match="another user"):
        load_or_create_profile_key(folder, "file")


def test_a_missing_file_is_said_to_be_missing(folder: Path) -> None:
    with pytest.raises(ProfileMissing):
        check_private(folder / "state.sqlite3")


@pytest.mark.usefixtures("system")
@pytest.mark.parametrize("content", [b"", b"x" * 31, b"x" * 33, b"keyring:\xff\x00"])
def test_a_file_that_is_no_key_is_refused(folder: Path, content: bytes) -> None:
    load_or_create_profile_key(folder, "file")
    (folder / "profile.key").write_bytes(content)
    with pytest.raises(ProfileBroken):
        load_or_create_profile_key(folder, "file")


def test_a_folder_that_is_gone_is_a_broken_profile(folder: Path) -> None:
    with pytest.raises(ProfileBroken):
        load_or_create_profile_key(folder / "gone", "file")


@pytest.mark.parametrize("choice", ["auto", "keyring"])
def test_the_file_only_points_to_the_keyring_s_key(folder: Path, system: FakeKeyring, choice: KeyringChoice) -> None:
    key = load_or_create_profile_key(folder, choice)
    ((_, name),) = system.entries
    assert (folder / "profile.key").read_text() == f"keyring:{name}"
    assert system.entries == {("sync-relay", name): base64url(key)}
    assert load_or_create_profile_key(folder, "file") == key
    check_private(folder / "profile.key")


def test_the_first_real_keyring_of_a_chain_holds_the_key(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chain, plaintext, real = FakeKeyring(10), FakeKeyring(0.5), FakeKeyring(4)
    monkeypatch.setattr(chain, "backends", [plaintext, real], raising=False)
    use(chain, monkeypatch)
    load_or_create_profile_key(folder, "keyring")
    assert (len(chain.entries), len(plaintext.entries), len(real.entries)) == (0, 0, 1)


@pytest.mark.parametrize(
    "fake",
    [FakeKeyring(0.5), FakeKeyring(-1), FakeKeyring(forgetful=True)],
    ids=["plaintext", "null", "forgetful"],
)
def test_a_keyring_that_keeps_no_secret_is_not_used(
    folder: Path, monkeypatch: pytest.MonkeyPatch, fake: FakeKeyring
) -> None:
    use(fake, monkeypatch)
    with pytest.raises(ProfileError, match="no OS keyring"):
        load_or_create_profile_key(folder, "keyring")
    assert not list(folder.iterdir())
    load_or_create_profile_key(folder, "auto")
    assert len((folder / "profile.key").read_bytes()) == 32
    assert fake.entries == {}


def test_a_locked_keyring_is_not_used_for_a_new_key(folder: Path, system: FakeKeyring) -> None:
    system.locked = True
    load_or_create_profile_key(folder, "auto")
    assert len((folder / "profile.key").read_bytes()) == 32


def test_the_extra_is_not_needed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    load_or_create_profile_key(folder, "auto")
    assert len((folder / "profile.key").read_bytes()) == 32


def test_the_user_hears_that_the_keyring_is_locked(folder: Path, system: FakeKeyring) -> None:
    load_or_create_profile_key(folder, "keyring")
    system.locked = True
    with pytest.raises(ProfileError, match="locked") as caught:
        load_or_create_profile_key(folder)
    assert type(caught.value) is ProfileError


@pytest.mark.usefixtures("system")
def test_the_user_hears_that_no_keyring_is_there_any_more(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load_or_create_profile_key(folder, "keyring")
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(ProfileError, match="none can be used"):
        load_or_create_profile_key(folder)


def test_a_key_that_the_keyring_lost_is_not_made_anew(folder: Path, system: FakeKeyring) -> None:
    load_or_create_profile_key(folder, "keyring")
    system.entries.clear()
    with pytest.raises(ProfileBroken, match="does not hold"):
        load_or_create_profile_key(folder)
    assert system.entries == {}


def test_a_keyring_s_entry_that_was_changed_is_refused(folder: Path, system: FakeKeyring) -> None:
    load_or_create_profile_key(folder, "keyring")
    (entry,) = system.entries
    for changed in ("not base64url!", base64url(bytes(31))):
        system.entries[entry] = changed
        with pytest.raises(ProfileBroken):
            load_or_create_profile_key(folder)


def test_whoever_comes_second_leaves_nothing_in_the_keyring(
    folder: Path, system: FakeKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    def another_was_first(_: Path, path: Path) -> None:
        path.write_bytes(b"1" * 32)
        path.chmod(0o600)
        raise FileExistsError

    monkeypatch.setattr(os, "link", another_was_first)
    assert load_or_create_profile_key(folder, "keyring") == b"1" * 32
    assert system.entries == {}
