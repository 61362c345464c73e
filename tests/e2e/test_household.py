"""The household's ledger on real devices: edited apart, in conflict, with wrong clocks; equal once they have synced."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examples.household import ledger as ledger_module
from examples.household.hlc import Stamp
from examples.household.ledger import Ledger, UpdateNeeded
from examples.household.merging import rows
from sync_relay_client import Change, Options, Vault
from tests.client.relay_in_process import RelayInProcess
from tests.e2e.conftest import StartRelay

HOURS = 3600.0
MIDDAY = 1_777_195_800.0
OPTIONS = Options(keyring="file")
IN_MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
"""Where profiles are, if there is such a disk: no test here needs power to survive its loss."""

Fields = dict[tuple[str, str, str], tuple[Any, Stamp]]


class Device:
    """A device of the household: its vault, its ledger, and a clock that the test sets (Unix seconds)."""

    def __init__(self, stack: ExitStack, vault: Vault, folder: Path) -> None:
        self.folder = folder
        self.now = MIDDAY
        self.vault = stack.enter_context(vault)
        self.ledger = stack.enter_context(Ledger(vault, folder, clock=lambda: self.now))

    def fields(self) -> Fields:
        """Every field that was ever set, the deleted rows' too, with its stamp."""
        with closing(sqlite3.connect(self.folder / "state.sqlite3")) as connection:
            return {(*row[:2], field): cell for row in rows(connection) for field, cell in row[2].items()}

    def shown(self) -> list[tuple[int, str]]:
        return [(entry.cents, entry.note) for entry in self.ledger.entries()]


class Household:
    """A vault at a relay, and its devices in folders."""

    def __init__(self, stack: ExitStack, folder: Path, url: str, options: Options) -> None:
        self._stack = stack
        self._folder = folder
        self._options = options
        self.first = self._device("laptop", Vault.create(folder / "laptop", url, recovery=False, options=options))

    def join(self, name: str) -> Device:
        """Pair another device with the first one."""
        folder = self._folder / name
        invitation = self.first.vault.invite(Vault.request(folder, options=self._options))
        return self._device(name, Vault.join(folder, invitation, options=self._options))

    def _device(self, name: str, vault: Vault) -> Device:
        return Device(self._stack, vault, self._folder / name)


@contextmanager
def household(url: str, options: Options = OPTIONS) -> Iterator[Household]:
    with TemporaryDirectory(dir=IN_MEMORY) as folder, ExitStack() as stack:
        yield Household(stack, Path(folder), url, options)


@pytest.fixture
def home(start_relay: StartRelay) -> Iterator[Household]:
    with household(start_relay().url) as made:
        yield made


def synced(*devices: Device) -> None:
    """Sync one after the other, then those again that did not see the later ones' edits."""
    for device in (*devices, *devices):
        device.ledger.sync()


@pytest.mark.parametrize("laptop_is_first", [True, False])
def test_conflicting_edits_come_out_alike_whoever_syncs_first(home: Household, *, laptop_is_first: bool) -> None:
    laptop, phone = home.first, home.join("phone")
    account_id = laptop.ledger.add_account("Cash")
    bread = laptop.ledger.add_entry(account_id, "2026-04-26", 320, "bread")
    synced(laptop, phone)

    laptop.now, phone.now = MIDDAY + 60, MIDDAY + 120
    phone.ledger.edit_entry(bread, note="rye bread")
    laptop.ledger.edit_entry(bread, note="two loaves", cents=640)
    synced(*((laptop, phone) if laptop_is_first else (phone, laptop)))

    assert laptop.shown() == phone.shown() == [(640, "rye bread")], "the later note, and the only price"
    assert laptop.fields() == phone.fields()


@pytest.mark.parametrize("deletes_first", [True, False])
def test_what_was_deleted_stays_deleted_though_another_device_edits_it(home: Household, *, deletes_first: bool) -> None:
    laptop, phone = home.first, home.join("phone")
    bread = laptop.ledger.add_entry("", "2026-04-26", 320, "bread")
    synced(laptop, phone)
    phone.now = MIDDAY + (60 if deletes_first else -60)
    laptop.ledger.delete_entry(bread)
    phone.ledger.edit_entry(bread, note="rye bread")
    synced(phone, laptop)
    assert laptop.shown() == phone.shown() == []

    laptop.ledger.edit_entry(bread, deleted=0)
    synced(laptop, phone)
    assert laptop.shown() == phone.shown() == [(320, "rye bread")], "undone, the other's edit is there"


@pytest.mark.parametrize("skew_hours", [-5, 5])
def test_an_edit_in_sight_of_another_wins_though_its_clock_is_hours_off(home: Household, skew_hours: int) -> None:
    laptop, phone = home.first, home.join("phone")
    phone.now += skew_hours * HOURS
    bread = laptop.ledger.add_entry("", "2026-04-26", 320, "bread")
    synced(laptop, phone)
    for number, writer in enumerate((phone, laptop, phone, laptop)):
        writer.ledger.edit_entry(bread, note=f"edit {number}")
        synced(laptop, phone)
        assert laptop.shown() == phone.shown() == [(320, f"edit {number}")]


def test_an_edit_and_its_change_are_recorded_together_or_not_at_all(
    home: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_module, "encode", lambda _: b"x" * 4_000_000)  # more than any push can carry
    with pytest.raises(Exception, match="does not fit"):
        home.first.ledger.add_entry("", "2026-04-26", 320, "bread")
    assert home.first.fields() == {}
    assert home.first.vault.status().outbox == 0


def test_an_edit_outlives_a_crash_before_it_was_sent(home: Household) -> None:
    laptop, phone = home.first, home.join("phone")
    edit_and_die = (
        "import os, sys, pathlib; from sync_relay_client import Vault; from examples.household.ledger import Ledger\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "Ledger(Vault.open(folder), folder).add_entry('', '2026-04-26', 320, 'bread')\n"
        "os._exit(9)"
    )
    died = subprocess.run([sys.executable, "-c", edit_and_die, laptop.folder], check=False)
    assert died.returncode == 9
    assert laptop.shown() == [(320, "bread")]
    synced(laptop, phone)
    assert phone.shown() == [(320, "bread")]
    assert laptop.vault.status().outbox == 0


def test_a_third_device_starts_from_a_snapshot(start_relay: StartRelay) -> None:
    relay = start_relay(RELAY_CHANGESET_DAYS="0")
    with household(relay.url) as home:
        laptop, phone = home.first, home.join("phone")
        bread, rent = (laptop.ledger.add_entry("", "2026-04-26", cents, "-") for cents in (320, 90_000))
        synced(laptop, phone)
        phone.ledger.edit_entry(bread, note="waits in the phone's outbox")
        laptop.ledger.delete_entry(rent)
        laptop.ledger.sync()
        laptop.ledger.snapshot()
        assert relay.maintain()["pruned_changesets"] > 0

        tablet = home.join("tablet")
        tablet.ledger.sync()
        assert tablet.shown() == laptop.shown() == [(320, "-")]
        assert tablet.fields() == laptop.fields(), "stamps and deleted rows, too: edits go on from them"

        tablet.ledger.edit_entry(rent, note="still deleted")
        synced(phone, tablet, laptop)
        assert phone.shown() == tablet.shown() == laptop.shown() == [(320, "waits in the phone's outbox")]
        assert phone.fields() == tablet.fields() == laptop.fields()


def test_an_edit_that_waits_is_not_lost_when_a_snapshot_comes_in(start_relay: StartRelay) -> None:
    relay = start_relay(RELAY_CHANGESET_DAYS="0")
    with household(relay.url) as home:
        laptop, phone = home.first, home.join("phone")
        bread = laptop.ledger.add_entry("", "2026-04-26", 320, "bread")
        synced(laptop, phone)
        phone.ledger.edit_entry(bread, note="rye bread")
        laptop.ledger.edit_entry(bread, cents=640)
        laptop.ledger.sync()
        laptop.ledger.snapshot()
        relay.maintain()

        assert phone.vault.pull().restored
        phone.ledger.apply()
        assert phone.shown() == [(640, "rye bread")]
        assert phone.vault.status().outbox == 1


def test_what_a_newer_ledger_wrote_waits_for_the_update(home: Household, monkeypatch: pytest.MonkeyPatch) -> None:
    laptop, phone = home.first, home.join("phone")
    laptop.ledger.add_entry("", "2026-04-26", 320, "bread")
    monkeypatch.setattr(ledger_module, "SCHEMA_VERSION", 2)
    laptop.ledger.add_entry("", "2026-04-26", 640, "of a newer ledger")
    laptop.ledger.sync()
    monkeypatch.undo()

    with pytest.raises(UpdateNeeded):
        phone.ledger.sync()
    assert phone.fields() == {}, "all that came with it waits, too"
    monkeypatch.setattr(ledger_module, "SCHEMA_VERSION", 2)
    phone.ledger.apply()
    assert phone.fields() == laptop.fields()


def test_the_relay_gets_the_snapshot_that_it_asks_for(home: Household) -> None:
    home.first.vault.push(*(Change("household", "-", "set", "entries", str(number), b"{}") for number in range(1000)))
    assert home.first.vault.status().snapshot_wanted == "low"
    home.first.ledger.sync()
    assert home.first.vault.status().snapshot_wanted is None
    assert len(home.join("phone").ledger.entries()) == 0
    assert home.first.vault.status().uploads == 0


STEPS = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from(["sync", "note", "cents", "deleted", "later"])),
    min_size=5,
    max_size=25,
)


@pytest.mark.not_as_built("it takes a thousand syncs with a relay in this process")
@settings(max_examples=40, deadline=None)
@given(steps=STEPS, skews=st.tuples(*[st.sampled_from([0.0, -5.0, 0.001, 5.0])] * 3))
def test_any_interleaving_of_edits_and_syncs_converges(
    steps: list[tuple[int, str]], skews: tuple[float, float, float]
) -> None:
    relay = RelayInProcess()
    with household(relay.url, relay.options()) as home:
        devices = [home.first, home.join("phone"), home.join("tablet")]
        for device, skew in zip(devices, skews, strict=True):
            device.now += skew * HOURS
        bread = home.first.ledger.add_entry("", "2026-04-26", 320, "bread")
        expected = home.first.fields()
        for number, (place, step) in enumerate(steps):
            device = devices[place]
            match step:
                case "sync":
                    device.ledger.sync()
                case "later":
                    device.now += 60
                case "note" | "cents" | "deleted":
                    value = f"step {number}" if step == "note" else number % 3
                    device.ledger.edit_entry(bread, **{step: value})
                    assert device.fields()["entries", bread, step][0] == value, "an edit counts where it is made"
            for key, cell in device.fields().items():
                expected[key] = max(cell, expected.get(key, cell), key=lambda one: one[1])
        synced(*devices)
        for device in devices:
            assert device.fields() == expected, "each field as its latest edit left it"
            assert device.shown() == devices[0].shown()


def test_the_command_keeps_what_it_can_not_send(start_relay: StartRelay) -> None:
    relay = start_relay()
    with household(relay.url) as home:
        folder = home.first.folder

        def run(*arguments: str) -> str:
            command = [sys.executable, "-m", "examples.household", str(folder), *arguments]
            return subprocess.run(command, check=True, capture_output=True, text=True).stdout

        relay.stop()
        assert run("spend", "Cash", "3.20", "bread").startswith("Kept for later: ")
        relay.start()
        phone = home.join("phone")
        entry_id = run("list").split()[0]
        assert "rye bread" in run("note", entry_id, "rye bread")
        phone.ledger.sync()
        assert phone.shown() == [(320, "rye bread")]
        assert run("delete", entry_id) == ""
