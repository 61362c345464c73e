"""A relay whose store was restored from a backup: the device stops, and goes on when its user agrees (§1 epoch)."""

import shutil
from pathlib import Path

import httpx
import pytest

from sync_relay_client import Vault
from sync_relay_client.errors import EpochChanged, ForkDetected, RelayRefused, RotatedOut
from tests.client.app import applied, apply_all, found, pair, record, sync, write
from tests.client.relay_in_process import Backup, RelayInProcess, honest


@pytest.fixture
def this(relay: RelayInProcess, home: Path) -> Vault:
    return found(relay, home / "this", recovery=True)


@pytest.fixture
def other(relay: RelayInProcess, home: Path, this: Vault) -> Vault:
    vault = pair(this, home / "other", relay.options())
    record(this, [b"1", b"2"])
    for one in (this, vault):
        sync(one)
    return vault


def come_back(relay: RelayInProcess, backup: Backup) -> None:
    """Restore the store, as the operator's handbook says."""
    now_us = relay.clock.us
    relay.restore(backup)
    relay.clock.us = now_us
    relay.new_epoch()


def agree(*vaults: Vault) -> None:
    for vault in vaults:
        vault.accept_epoch()
    for vault in (*vaults, *vaults):
        sync(vault)


def test_a_restored_log_that_is_whole(relay: RelayInProcess, home: Path, this: Vault, other: Vault) -> None:
    relay.new_epoch()
    for vault in (this, other):
        with pytest.raises(EpochChanged):
            vault.sync()
        accepted = vault.accept_epoch()
        assert (accepted.lost_changesets, accepted.head) == (0, vault.head)
    record(other, [b"3"])
    for vault in (other, this):
        sync(vault)
    assert applied(home / "this") == applied(home / "other") == [b"1", b"2", b"3"]


def test_a_restored_log_that_ends_earlier_is_named_as_another_epoch(
    relay: RelayInProcess, this: Vault, other: Vault
) -> None:
    """And not as a relay that rolled the log back: only so does the user learn what to agree to."""
    backup = relay.backup()
    record(this, [b"lost"])
    for vault in (this, other):
        sync(vault)
    come_back(relay, backup)
    for vault in (this, other):
        with pytest.raises(EpochChanged):
            vault.sync()


def test_what_was_lost_is_counted_and_the_vault_goes_on(
    relay: RelayInProcess, home: Path, this: Vault, other: Vault
) -> None:
    backup = relay.backup()
    record(this, [b"lost 1", b"lost 2"])
    for vault in (this, other):
        sync(vault)
    come_back(relay, backup)
    assert this.accept_epoch().lost_changesets == 2
    assert other.accept_epoch().lost_changesets == 2
    record(this, [b"3"])
    record(other, [b"4"])
    for vault in (this, other, this):
        sync(vault)
    assert applied(home / "this") == applied(home / "other") == [b"1", b"2", b"lost 1", b"lost 2", b"3", b"4"]
    assert this.head == other.head


def test_what_was_sealed_before_goes_out_with_a_witness_that_is_still_there(
    relay: RelayInProcess, home: Path, this: Vault, other: Vault
) -> None:
    """A change that was sealed after what was lost, and not answered, says that it saw what no longer is."""
    backup = relay.backup()
    record(this, [b"lost"])
    for vault in (this, other):
        sync(vault)
    relay.meddle = lambda request, answer: httpx.Response(500) if request.method == "POST" else answer(request)
    record(this, [b"3"])
    with pytest.raises(RelayRefused):
        this.push()
    relay.meddle = honest
    come_back(relay, backup)
    agree(this, other)
    assert applied(home / "other") == [b"1", b"2", b"lost", b"3"]


def test_a_push_at_another_epoch_leaves_nothing_there(
    relay: RelayInProcess, home: Path, this: Vault, other: Vault
) -> None:
    """A change that says it saw what the restored log lacks would be refused by all, for ever."""
    backup = relay.backup()
    record(this, [b"lost"])
    sync(this)
    come_back(relay, backup)
    record(this, [b"3"])
    with pytest.raises(EpochChanged):
        this.push()
    agree(other, this)
    sync(other)
    assert applied(home / "other") == [b"1", b"2", b"3"]


def test_what_was_acknowledged_and_not_seen_is_sent_again(
    relay: RelayInProcess, home: Path, this: Vault, other: Vault
) -> None:
    backup = relay.backup()
    record(this, [b"3", b"4"])
    this.push()
    come_back(relay, backup)
    agree(this, other)
    assert applied(home / "this") == applied(home / "other") == [b"1", b"2", b"3", b"4"]


def test_what_another_device_sends_again_is_not_applied_again(
    relay: RelayInProcess, home: Path, this: Vault, other: Vault
) -> None:
    backup = relay.backup()
    record(this, [b"3"])
    this.push()
    sync(other)
    come_back(relay, backup)
    agree(this, other)
    record(other, [b"4"])
    for vault in (other, this):
        sync(vault)
    assert applied(home / "other") == [b"1", b"2", b"3", b"4"]
    assert applied(home / "this") == [b"1", b"2", b"3", b"4"]


def test_what_waits_to_be_applied_still_is_and_new_changes_come_after_it(
    relay: RelayInProcess, home: Path, this: Vault, other: Vault
) -> None:
    backup = relay.backup()
    record(this, [b"lost 1", b"lost 2"])
    sync(this)
    other.pull()
    come_back(relay, backup)
    for vault in (this, other):
        vault.accept_epoch()
    record(this, [b"3"])
    sync(this)
    other.sync()
    apply_all(other)
    assert applied(home / "other") == [b"1", b"2", b"lost 1", b"lost 2", b"3"]


def test_a_restored_log_that_is_pruned(relay: RelayInProcess, home: Path, this: Vault, other: Vault) -> None:
    other.snapshot(write)
    relay.prune()
    relay.new_epoch()
    agree(this, other)
    record(other, [b"3"])
    for vault in (other, this):
        sync(vault)
    assert applied(home / "this") == applied(home / "other") == [b"1", b"2", b"3"]


def test_a_rekey_that_was_lost_is_made_anew(relay: RelayInProcess, home: Path, this: Vault, other: Vault) -> None:
    backup = relay.backup()
    this.rotate()
    for vault in (this, other):
        sync(vault)
    come_back(relay, backup)
    agree(this, other)
    this.rotate()
    record(this, [b"3"])
    for vault in (this, other):
        sync(vault)
    assert applied(home / "other") == [b"1", b"2", b"3"]


def test_a_device_that_agrees_after_another_one_went_on(
    relay: RelayInProcess, home: Path, this: Vault, other: Vault
) -> None:
    backup = relay.backup()
    record(this, [b"lost 1"])
    for vault in (this, other):
        sync(vault)
    record(this, [b"lost 2"])
    this.sync()
    come_back(relay, backup)
    other.accept_epoch()
    record(other, [b"instead"])
    sync(other)
    assert this.accept_epoch().lost_changesets == 2
    sync(this)
    record(this, [b"3"])
    for vault in (this, other):
        sync(vault)
    assert this.verify().head == other.head
    assert applied(home / "this") == [b"1", b"2", b"lost 1", b"lost 2", b"instead", b"3"]
    assert applied(home / "other") == [b"1", b"2", b"lost 1", b"instead", b"3"]


def test_a_device_that_agrees_after_another_one_rotated_the_key(
    relay: RelayInProcess, home: Path, this: Vault, other: Vault
) -> None:
    backup = relay.backup()
    record(this, [b"lost"])
    this.rotate()
    sync(this)
    come_back(relay, backup)
    other.accept_epoch()
    other.rotate()
    agree(this)
    record(this, [b"3"])
    for vault in (this, other):
        sync(vault)
    assert applied(home / "other") == [b"1", b"2", b"3"]


def test_what_was_passed_over_still_is(relay: RelayInProcess, home: Path, this: Vault, other: Vault) -> None:
    with pair(this, home / "third", relay.options()) as third:
        write_when_rotated_out(relay, this, third)
    for vault in (this, other):
        with pytest.raises(RotatedOut) as refused:
            vault.sync()
        assert refused.value.seq is not None
        vault.pass_over(refused.value.seq)
        sync(vault)
    relay.new_epoch()
    agree(this, other)
    assert this.head == other.head


def write_when_rotated_out(relay: RelayInProcess, member: Vault, leaving: Vault) -> None:
    """Let a device push under the old key after the rekey, before it is revoked at the relay."""
    relay.meddle = lambda request, answer: httpx.Response(500) if request.method == "DELETE" else answer(request)
    with pytest.raises(RelayRefused):
        member.revoke(leaving.device_id)
    relay.meddle = honest
    record(leaving, [b"under the old key"])
    leaving.push()


def test_a_log_that_has_nothing_in_common(relay: RelayInProcess, home: Path) -> None:
    """Nothing of what was verified is there: that is no backup of this vault."""
    this, backup = found(relay, home / "this"), relay.backup()
    shutil.copytree(home / "this", home / "twin")
    record(this, [b"1"])
    sync(this)
    come_back(relay, backup)
    twin = Vault.open(home / "twin", options=relay.options())
    twin.accept_epoch()
    record(twin, [b"another first change"])
    twin.sync()
    before = this.status()
    with pytest.raises(ForkDetected):
        this.accept_epoch()
    assert this.status() == before
    with pytest.raises(EpochChanged):
        this.sync()
