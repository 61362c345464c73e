"""The recovery sheet: all devices are lost, and 24 words bring the vault back, unless they were revoked."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from sync_relay_client import Vault
from sync_relay_client.errors import KeyUnknown, RecoveryWordsInvalid, RelayRefused, SyncRelayError
from sync_relay_client.words import recovery_words
from tests.client.app import applied, found, pair, record, sync, write
from tests.client.relay_in_process import RelayInProcess

Answer = Callable[[httpx.Request], httpx.Response]
KEPT = [b"1", b"2"]


@pytest.fixture
def lost(relay: RelayInProcess, home: Path) -> Iterator[Vault]:
    """A vault with a sheet, whose only device will be lost."""
    with found(relay, home / "lost", recovery=True) as vault:
        record(vault, KEPT)
        sync(vault)
        yield vault


def words_of(vault: Vault) -> str:
    words = vault.recovery_words()
    assert words is not None
    return words


def recover(relay: RelayInProcess, folder: Path, words: str) -> Vault:
    return Vault.recover(folder, relay.url, words, options=relay.options())


def test_the_words_bring_everything_back(relay: RelayInProcess, home: Path, lost: Vault) -> None:
    words = words_of(lost)
    with recover(relay, home / "new", words) as new:
        sync(new)
        record(new, [b"3"])
        sync(new)
        assert new.status().belongs
        assert new.recovery_words() is None, "they are on paper, and nowhere on the new device"
    assert applied(home / "new") == [*KEPT, b"3"]


@pytest.mark.parametrize("rotations", [0, 1, 3])
@pytest.mark.parametrize("pruned", ["pruned", "whole"])
def test_the_words_hold_whatever_happened_since(
    relay: RelayInProcess, home: Path, lost: Vault, rotations: int, pruned: str
) -> None:
    words = words_of(lost)
    for _ in range(rotations):
        lost.rotate()
    record(lost, [b"3"])
    sync(lost)
    lost.snapshot(write)
    if pruned == "pruned":
        relay.prune()
    record(lost, [b"after the snapshot"])
    sync(lost)
    with recover(relay, home / "new", words) as new:
        sync(new)
    assert applied(home / "new") == [*KEPT, b"3", b"after the snapshot"]


def test_what_is_restored_on_the_way_is_never_outside_of_the_profile(
    relay: RelayInProcess, home: Path, lost: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kill would leave a vault's whole content in the system's temporary folder, and nobody to remove it."""
    words, elsewhere = words_of(lost), home / "tmp"
    lost.snapshot(write)
    relay.prune()
    elsewhere.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(elsewhere))
    restored: set[Path] = set()

    def look(request: httpx.Request, answer: Answer) -> httpx.Response:
        assert not list(elsewhere.iterdir())
        restored.update((home / "new" / "spool").glob("restored-*"))
        return answer(request)

    relay.meddle = look
    with recover(relay, home / "new", words):
        assert restored
        assert not list((home / "new" / "spool").iterdir())


def test_a_log_that_is_read_on_the_way_need_not_fit_into_memory(relay: RelayInProcess, home: Path, lost: Vault) -> None:
    """The sheet reads all of it, to learn who belongs: it is on the disk as any device's, and gone at the end."""
    words, size_bytes = words_of(lost), 1_000_000
    record(lost, [bytes(size_bytes)])
    sync(lost)
    spool, largest = home / "new" / "spool", [0]

    def look(request: httpx.Request, answer: Answer) -> httpx.Response:
        largest.append(sum(path.stat().st_size for path in spool.glob("aside-*")))
        return answer(request)

    relay.meddle = look
    with recover(relay, home / "new", words):
        assert max(largest) > size_bytes
        assert not list(spool.iterdir())


def test_the_words_are_good_more_than_once(relay: RelayInProcess, home: Path, lost: Vault) -> None:
    words = words_of(lost)
    for name in ("first", "second"):
        with recover(relay, home / name, words) as new:
            sync(new)
            record(new, [name.encode()])
            sync(new)
            new.rotate()
            new.snapshot(write)
            relay.prune()
    assert applied(home / "second") == [*KEPT, b"first", b"second"]


def test_the_words_on_a_device_of_the_vault_change_nothing(relay: RelayInProcess, home: Path, lost: Vault) -> None:
    words = words_of(lost)
    with recover(relay, home / "new", words) as new:
        sync(new)
    with recover(relay, home / "new", words) as new:
        sync(new)
        assert new.status().belongs
    assert applied(home / "new") == KEPT


def test_the_words_are_taken_however_they_are_written(relay: RelayInProcess, home: Path, lost: Vault) -> None:
    words = words_of(lost).split()
    sheet = "\n".join(f" {number}. {word.upper()}" for number, word in enumerate(words, 1))
    with recover(relay, home / "new", sheet) as new:
        sync(new)
    assert applied(home / "new") == KEPT


def test_words_that_were_mistyped_ask_nobody(relay: RelayInProcess, home: Path, lost: Vault) -> None:
    words = words_of(lost).split()
    asked = len(relay.requests)
    for wrong in (words[:-1], [*words[:4], "relais", *words[5:]], [words[1], words[0], *words[2:]]):
        with pytest.raises(RecoveryWordsInvalid):
            recover(relay, home / "new", " ".join(wrong))
    assert len(relay.requests) == asked
    assert not (home / "new").exists()


def test_words_of_no_vault_here(relay: RelayInProcess, home: Path) -> None:
    with pytest.raises(RelayRefused):
        recover(relay, home / "new", recovery_words(bytes(32)))


def test_a_vault_without_a_sheet_says_so(relay: RelayInProcess, home: Path) -> None:
    with found(relay, home / "this") as vault:
        assert vault.recovery_words() is None


def test_forgotten_words_are_good_still(relay: RelayInProcess, home: Path, lost: Vault) -> None:
    words = words_of(lost)
    lost.forget_recovery_words()
    lost.forget_recovery_words()
    assert lost.recovery_words() is None
    lost.rotate()
    sync(lost)
    with recover(relay, home / "new", words) as new:
        sync(new)
    assert applied(home / "new") == KEPT


# ---------------------------------------------------------------- a sheet that was found by another


def sheet_of(vault: Vault) -> str:
    (sheet,) = [one.device_id for one in vault.devices() if one.is_founder]
    return sheet


def test_a_revoked_sheet_brings_nothing_back(relay: RelayInProcess, home: Path, lost: Vault) -> None:
    words = words_of(lost)
    lost.revoke(sheet_of(lost))
    record(lost, [b"after"])
    sync(lost)
    with pytest.raises(RelayRefused) as refused:
        recover(relay, home / "thief", words)
    assert refused.value.code == "device_revoked"


@pytest.mark.parametrize("pruned", ["pruned", "whole"])
def test_a_revoked_sheet_brings_nothing_back_from_a_relay_that_colludes(
    relay: RelayInProcess, home: Path, lost: Vault, pruned: str
) -> None:
    words = words_of(lost)
    relay.meddle = pretend_to_revoke
    lost.revoke(sheet_of(lost))
    record(lost, [b"after"])
    sync(lost)
    lost.snapshot(write)
    if pruned == "pruned":
        relay.prune()
    with pytest.raises(SyncRelayError) as refused:
        recover(relay, home / "thief", words)
    assert isinstance(refused.value, KeyUnknown)
    lost.sync()
    assert {one.device_id for one in lost.devices() if one.belongs} == {lost.device_id}, "it admitted nobody"


def pretend_to_revoke(request: httpx.Request, answer: Answer) -> httpx.Response:
    return httpx.Response(204) if request.method == "DELETE" else answer(request)


def test_a_vault_lives_on_without_its_sheet(relay: RelayInProcess, home: Path, lost: Vault) -> None:
    lost.revoke(sheet_of(lost))
    with pair(lost, home / "new", relay.options()) as new:
        record(new, [b"3"])
        sync(new)
        new.snapshot(write)
        relay.prune()
        with pair(new, home / "newer", relay.options()) as newer:
            sync(newer)
    assert applied(home / "newer") == [*KEPT, b"3"]
