"""A device that is killed at any step of revoking, rotating, erasing or taking a new epoch."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sync_relay_client import Vault
from sync_relay_client.errors import EpochChanged, RelayRefused
from tests.client.app import applied, found, pair, record, sync
from tests.client.crash import Reaper, Stage, age_spool, kill_at_every_step
from tests.client.relay_in_process import RelayInProcess

Kill = Callable[..., None]


@pytest.fixture
def stage(relay: RelayInProcess, home: Path) -> Stage:
    """Three devices in a vault, all at its head."""
    with (
        found(relay, home / "this") as this,
        pair(this, home / "other", relay.options()) as other,
        pair(this, home / "third", relay.options()) as third,
    ):
        record(this, [b"before"])
        for vault in (this, other, third):
            sync(vault)
    return Stage(relay, home)


def opened(stage: Stage, name: str) -> Vault:
    return Vault.open(stage.home / name, options=stage.relay.options())


@pytest.fixture
def kill(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Kill:
    reaper = Reaper(stage.home / "this", monkeypatch)

    def run(work: Callable[[Vault], None], see: Callable[[], Any], least_steps: int) -> None:
        def act() -> None:
            with opened(stage, "this") as vault:
                work(vault)

        kill_at_every_step(stage, reaper, act, see, least_steps)

    return run


def test_revoking(stage: Stage, kill: Kill) -> None:
    with opened(stage, "third") as third:
        third_id = third.device_id

    def see() -> Any:
        with opened(stage, "this") as this, opened(stage, "other") as other, opened(stage, "third") as third:
            sync(this)
            record(other, [b"after"])
            for vault in (other, this):
                sync(vault)
            with pytest.raises(RelayRefused):
                third.sync()
            assert this.head == other.head
            (gone,) = [one for one in this.devices() if one.device_id == third_id]
            return (
                (gone.belongs, gone.revoked_at is not None),
                this.status().revoking,
                this.head.seq,
                applied(stage.home / "this") == applied(stage.home / "other"),
                applied(stage.home / "third"),
            )

    def work(vault: Vault) -> None:
        sync(vault)
        if any(one.device_id == third_id and one.belongs for one in vault.devices()):
            vault.revoke(third_id)

    kill(work, see, 20)


def test_rotating(stage: Stage, kill: Kill) -> None:
    """Where the kill leaves it open whether the rekey came through, one more does no harm."""

    def see() -> Any:
        with opened(stage, "this") as this, opened(stage, "other") as other, opened(stage, "third") as third:
            for vault in (other, third, this):
                record(vault, [vault.device_id.encode()])
                sync(vault)
            for vault in (other, third, this):
                sync(vault)
            assert this.head == other.head == third.head
            of_this, of_third = applied(stage.home / "this"), applied(stage.home / "third")
            return sorted(of_this), of_this == of_third

    kill(lambda vault: vault.rotate(), see, 10)


def test_erasing(stage: Stage, kill: Kill) -> None:
    def see() -> Any:
        with opened(stage, "this") as this, opened(stage, "other") as other:
            with pytest.raises(RelayRefused):
                other.sync()
            return this.status().erased, applied(stage.home / "this")

    kill(lambda vault: vault.erase(), see, 4)


def test_taking_a_new_epoch(stage: Stage, kill: Kill) -> None:
    """The restored store lacks what this device had verified, and what it was told had arrived."""
    relay, home = stage.relay, stage.home
    backup = relay.backup()
    with opened(stage, "this") as this, opened(stage, "other") as other:
        record(this, [b"seen and lost"])
        for vault in (this, other):
            sync(vault)
        record(this, [b"acknowledged and lost"])
        this.push()
    relay.restore(backup)
    relay.new_epoch()
    stage.begin_here()

    def work(vault: Vault) -> None:
        try:
            vault.sync()
        except EpochChanged:
            vault.accept_epoch()

    def see() -> Any:
        age_spool(home / "this")
        with opened(stage, "this") as this, opened(stage, "other") as other:
            other.accept_epoch()
            record(this, [b"after"])
            for vault in (this, other, this):
                sync(vault)
            assert this.head == other.head
            return this.head.seq, applied(home / "this"), applied(home / "other"), this.status().outbox

    kill(work, see, 12)
