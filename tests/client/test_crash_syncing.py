"""A device that is killed at any step of pushing, pulling or applying: nothing is lost, nothing comes twice."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sync_relay_client import Vault
from tests.client.app import applied, apply_all, found, pair, record, sync
from tests.client.crash import Reaper, Stage, age_spool, kill_at_every_step
from tests.client.relay_in_process import RelayInProcess

OURS = [b"ours 1", b"ours 2", b"ours 3", b"ours 4", b"ours 5"]
THEIRS = [b"theirs 1", b"theirs 2", b"theirs 3"]


@pytest.fixture
def relay() -> RelayInProcess:
    """A relay that makes two requests of what fits into one elsewhere."""
    return RelayInProcess(max_batch=3, max_page=2)


@pytest.fixture
def stage(relay: RelayInProcess, home: Path) -> Stage:
    """Two devices in a vault; the other one has changes that this one has not pulled."""
    with found(relay, home / "this") as this, pair(this, home / "other", relay.options()) as other:
        this.sync()
        record(other, THEIRS)
        sync(other)
    return Stage(relay, home)


Kill = Callable[[Callable[[Vault], None], int], None]


@pytest.fixture
def kill(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Kill:
    """Kill this device at every step of what it does, and see that both devices end as they do without that."""
    relay, home = stage.relay, stage.home
    reaper = Reaper(home / "this", monkeypatch)

    def run(work: Callable[[Vault], None], least_steps: int) -> None:
        def act() -> None:
            with Vault.open(home / "this", options=relay.options()) as vault:
                work(vault)

        kill_at_every_step(stage, reaper, act, lambda: outcome(stage), least_steps)

    return run


def outcome(stage: Stage) -> Any:
    """Let both devices come to an end, and return all that must not depend on when one of them was killed."""
    relay, home = stage.relay, stage.home
    age_spool(home / "this")
    with (
        Vault.open(home / "this", options=relay.options()) as this,
        Vault.open(home / "other", options=relay.options()) as other,
    ):
        for vault in (this, other, this):
            sync(vault)
        assert this.head == other.head
        assert this.verify().head == this.head
        assert applied(home / "this") == applied(home / "other")
        status = this.status()
        waits = (status.outbox, status.unverified, status.inbox, status.restored, status.revoking, status.uploads)
    assert not list((home / "this" / "spool").glob("*"))
    return this_order(applied(home / "this")), status.head.seq, waits


def this_order(payloads: list[bytes]) -> tuple[list[bytes], list[bytes]]:
    """Return each device's changes, in order; how the two mix is decided by who came first."""
    ours = [payload for payload in payloads if payload in OURS]
    return ours, [payload for payload in payloads if payload not in OURS]


def test_pushing(kill: Kill) -> None:
    def work(vault: Vault) -> None:
        record(vault, OURS)
        vault.push()

    kill(work, 15)


def test_pulling_and_applying(kill: Kill) -> None:
    def work(vault: Vault) -> None:
        vault.pull()
        apply_all(vault, limit=2)

    kill(work, 15)


def test_syncing(kill: Kill) -> None:
    def work(vault: Vault) -> None:
        record(vault, OURS)
        sync(vault)

    kill(work, 30)
