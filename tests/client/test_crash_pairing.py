"""A device that is killed at any step of founding, inviting, joining or recovering: it ends in the vault, once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sync_relay_client import Vault
from sync_relay_client.errors import ProfileMissing
from tests.client.app import applied, found, pair, record, sync
from tests.client.crash import Reaper, Stage, kill_at_every_step
from tests.client.relay_in_process import RelayInProcess


def open_or(begin: Callable[[], Vault], folder: Path, relay: RelayInProcess) -> Vault:
    """Open the vault, or begin to be in one, as a program does when it starts."""
    try:
        return Vault.open(folder, options=relay.options())
    except ProfileMissing:
        return begin()


def vaults_at(relay: RelayInProcess) -> list[str]:
    return list(relay.world.relay.log.vault_ids("", 100))


def devices_of(vault: Vault) -> tuple[int, int]:
    """Return how many belong, and how many the relay knows."""
    found = vault.devices()
    return sum(one.belongs for one in found), sum(one.registered_at is not None for one in found)


@pytest.mark.parametrize("kind", ["with a recovery sheet", "without"])
def test_founding(relay: RelayInProcess, home: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    stage, folder, recovery = Stage(relay, home), home / "this", kind != "without"

    def begin() -> Vault:
        return Vault.create(folder, relay.url, recovery=recovery, options=relay.options())

    def see() -> Any:
        with Vault.open(folder, options=relay.options()) as vault:
            record(vault, [b"the first change"])
            sync(vault)
            (vault_id,) = vaults_at(relay)
            words = vault.recovery_words()
            assert vault.status().vault_id == vault_id
            return vault.head.seq, words is not None, devices_of(vault), applied(folder)

    reaper = Reaper(folder, monkeypatch)
    kill_at_every_step(stage, reaper, lambda: open_or(begin, folder, relay).close(), see, 12 if recovery else 10)


def test_the_words_of_a_vault_whose_founding_was_cut_bring_it_back(
    relay: RelayInProcess, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, folder = Stage(relay, home), home / "this"

    def act() -> None:
        found(relay, folder, recovery=True).close()

    reaper = Reaper(folder, monkeypatch)
    reaper.run(act)
    at = max(number for number, name in enumerate(reaper.steps) if name == "after Send") - 1
    stage.rise()
    assert reaper.run(act, at)
    with Vault.open(folder, options=relay.options()) as vault:
        words, vault_id = vault.recovery_words(), vault.status().vault_id
    assert words is not None
    with Vault.recover(home / "new", relay.url, words, options=relay.options()) as recovered:
        assert recovered.status().vault_id == vault_id


def test_inviting(relay: RelayInProcess, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found(relay, home / "this").close()
    request = Vault.request(home / "new", options=relay.options())
    stage, codes = Stage(relay, home), []

    def act() -> None:
        with Vault.open(home / "this", options=relay.options()) as vault:
            codes.append(vault.invite(request))

    def see() -> Any:
        with Vault.join(home / "new", codes[-1], options=relay.options()) as new:
            new.sync()
            assert new.status().belongs
            return new.head.seq, devices_of(new)

    kill_at_every_step(stage, Reaper(home / "this", monkeypatch), act, see, 10)


def test_asking_and_joining(relay: RelayInProcess, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found(relay, home / "other").close()
    stage, folder = Stage(relay, home), home / "this"

    def join() -> Vault:
        with Vault.open(home / "other", options=relay.options()) as other:
            code = other.invite(Vault.request(folder, options=relay.options()))
        return Vault.join(folder, code, options=relay.options())

    def see() -> Any:
        with Vault.open(folder, options=relay.options()) as vault:
            record(vault, [b"hello"])
            sync(vault)
            return vault.status().belongs, devices_of(vault), applied(folder)

    reaper = Reaper(folder, monkeypatch)
    kill_at_every_step(stage, reaper, lambda: open_or(join, folder, relay).close(), see, 8)


def test_rejoining(relay: RelayInProcess, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A device that missed a rekey takes a new invitation."""
    with found(relay, home / "other") as other, pair(other, home / "this", relay.options()) as this:
        record(other, [b"before"])
        for vault in (other, this):
            sync(vault)
        request = Vault.request(home / "this", options=relay.options())
        other.rotate()
        record(other, [b"after"])
        sync(other)
        code = other.invite(request)
    stage = Stage(relay, home)

    def act() -> None:
        with Vault.join(home / "this", code, options=relay.options()) as vault:
            sync(vault)

    def see() -> Any:
        with Vault.open(home / "this", options=relay.options()) as vault:
            record(vault, [b"mine"])
            sync(vault)
        with Vault.open(home / "other", options=relay.options()) as other:
            sync(other)
            return other.head.seq, devices_of(other), applied(home / "this") == applied(home / "other")

    kill_at_every_step(stage, Reaper(home / "this", monkeypatch), act, see, 10)


def test_recovering(relay: RelayInProcess, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with found(relay, home / "lost", recovery=True) as lost:
        words = lost.recovery_words()
        record(lost, [b"what must come back"])
        sync(lost)
        lost.rotate()
    assert words is not None
    stage, folder = Stage(relay, home), home / "this"

    def begin() -> Vault:
        return Vault.recover(folder, relay.url, words, options=relay.options())

    def see() -> Any:
        with Vault.open(folder, options=relay.options()) as vault:
            record(vault, [b"mine"])
            sync(vault)
            return vault.head.seq, devices_of(vault), applied(folder)

    kill_at_every_step(stage, Reaper(folder, monkeypatch), lambda: open_or(begin, folder, relay).close(), see, 15)
