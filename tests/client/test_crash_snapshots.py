"""A device that is killed at any step of making or taking a snapshot: nothing is lost, and no file stays behind."""

from pathlib import Path
from typing import Any

import pytest

from sync_relay_client import Vault
from tests.client.app import applied, apply_all, found, pair, record, sync, write
from tests.client.crash import Reaper, Stage, age_spool, kill_at_every_step
from tests.client.relay_in_process import RelayInProcess

BEFORE = [b"1", b"2", b"3", b"4", b"5"]
AFTER = [b"6", b"7"]


def snapshots_at(vault: Vault, relay: RelayInProcess) -> list[int]:
    """Return what each available snapshot covers; letters cover nothing."""
    info = relay.world.relay.log.vault(vault.status().vault_id, relay.world.relay.now_ms())
    assert info is not None
    return sorted(one.covers.seq for one in info.snapshots if one.available)


def spool_of(folder: Path, relay: RelayInProcess) -> list[Path]:
    """Return what is left in the spool once some days have gone by."""
    age_spool(folder)
    Vault.open(folder, options=relay.options()).close()
    return list((folder / "spool").glob("*"))


def test_making_a_snapshot(relay: RelayInProcess, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with found(relay, home / "this") as this, pair(this, home / "other", relay.options()):
        record(this, BEFORE)
        sync(this)
    stage, folder = Stage(relay, home), home / "this"

    def act() -> None:
        with Vault.open(folder, options=relay.options()) as vault:
            sync(vault)
            if not any(snapshots_at(vault, relay)):
                vault.snapshot(write)

    def see() -> Any:
        with (
            Vault.open(folder, options=relay.options()) as this,
            Vault.open(home / "other", options=relay.options()) as other,
        ):
            made = snapshots_at(this, relay)
            relay.prune()
            record(this, AFTER)
            for vault in (this, other):
                sync(vault)
            assert this.status().uploads == 0
            assert not spool_of(folder, relay)
            return made, applied(home / "other"), other.head == this.head

    kill_at_every_step(stage, Reaper(folder, monkeypatch), act, see, 30)


def test_going_on_from_a_snapshot(relay: RelayInProcess, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A newcomer, whose history is pruned: the snapshot's content comes first, then what came after it."""
    relay.world.configure(max_page=1)
    with found(relay, home / "other") as other:
        record(other, BEFORE)
        sync(other)
        code = other.invite(Vault.request(home / "this", options=relay.options()))
        Vault.join(home / "this", code, options=relay.options()).close()
        other.rotate()
        other.snapshot(write)
        relay.prune()
        record(other, AFTER)
        sync(other)
    stage, folder = Stage(relay, home), home / "this"

    def act() -> None:
        with Vault.open(folder, options=relay.options()) as vault:
            vault.sync()
            apply_all(vault, limit=1)

    def see() -> Any:
        assert not spool_of(folder, relay)
        with (
            Vault.open(folder, options=relay.options()) as this,
            Vault.open(home / "other", options=relay.options()) as other,
        ):
            record(this, [b"8"])
            for vault in (this, other):
                sync(vault)
            assert other.head == this.head
            return applied(folder), applied(home / "other"), this.status().restored

    kill_at_every_step(stage, Reaper(folder, monkeypatch), act, see, 30)


def test_being_away_while_a_key_is_rotated_and_the_history_pruned(
    relay: RelayInProcess, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads the letter that was left for it; killed anywhere, it reads it again."""
    with found(relay, home / "other") as other, pair(other, home / "this", relay.options()) as this:
        record(this, [b"mine, on the way"])
        record(other, BEFORE)
        sync(other)
        other.rotate()
        other.snapshot(write)
        relay.prune()
    stage, folder = Stage(relay, home), home / "this"

    def act() -> None:
        with Vault.open(folder, options=relay.options()) as vault:
            sync(vault)

    def see() -> Any:
        assert not spool_of(folder, relay)
        with Vault.open(home / "other", options=relay.options()) as other:
            sync(other)
        return applied(folder), applied(home / "other")

    kill_at_every_step(stage, Reaper(folder, monkeypatch), act, see, 30)
    assert applied(folder) == [*BEFORE, b"mine, on the way"]
