"""Second scene: a snapshot, the history that it covers pruned, and a third device that begins at the snapshot."""

from dataclasses import dataclass
from pathlib import Path

from demo.claims import check, scene
from demo.device import LedgerDevice
from tools.embedded import EmbeddedRelay


@dataclass(frozen=True, slots=True)
class Pruned:
    """What became of the history."""

    snapshot_bytes: int
    changesets: int


def snapshot_and_prune(relay: EmbeddedRelay, laptop: LedgerDevice) -> Pruned:
    """Make a snapshot, and let the relay's retention do its work."""
    scene("A snapshot, and the history that it covers is pruned.")
    check(relay.maintain()["pruned_changesets"] == 0, "as long as no snapshot covers it, retention prunes nothing")
    made = laptop.vault.snapshot(laptop.write_snapshot)
    check(made.covers == laptop.vault.head, f"the laptop made a snapshot of {made.size_bytes:,} sealed bytes")
    check(made.size_bytes in relay.holdings.blobs().values(), "the relay holds a blob of that size")
    changesets = relay.maintain()["pruned_changesets"]
    check(changesets == made.covers.seq, f"then retention pruned all {changesets:,} changesets")
    check(relay.holdings.sealed_bytes() == 0, "and nothing of their texts is left there")
    return Pruned(made.size_bytes, changesets)


def join_from_the_snapshot(folder: Path, laptop: LedgerDevice, phone: LedgerDevice) -> LedgerDevice:
    """Let a third device join, which finds no history."""
    tablet = LedgerDevice.join(folder, laptop)
    check(tablet.sync(), "a tablet joined, and went on from the snapshot, which it verified to its last byte")
    check(tablet.changes_applied == 0, "it applied not one change of the history")
    check(tablet.items() == laptop.items(), "and it has the laptop's ledger")
    phone.sync()
    laptop.sync()
    check(tablet.vault.head == laptop.vault.head == phone.vault.head, "all three verified the same head")
    return tablet
