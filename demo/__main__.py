"""The demo, scene by scene. Everything it claims is checked as it goes; the first thing that fails ends it."""

import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path

from demo.claims import SCRIPTS, check, check_ledger_file, scene, show_table
from demo.device import LedgerDevice
from demo.disk import sealed_bytes
from demo.joining import join_from_the_snapshot, snapshot_and_prune
from demo.ledger import Directive, read_directives
from demo.revoking import revoke
from demo.syncing import (
    check_that_the_relay_reads_nothing,
    edit_on_both_sides,
    show_what_the_relay_holds,
    sync_from_scratch,
)
from relay_protocol.encoding import base64url
from tools.embedded import EmbeddedRelay

LEDGER = ("--seed", "2604", "--date-begin", "2019-01-01", "--date-end", "2026-01-01", "--date-birth", "1980-05-12")


def main() -> None:
    """Play the demo in a temporary folder."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "example.beancount"
        subprocess.run([SCRIPTS / "bean-example", *LEDGER, "-o", source], check=True, capture_output=True)
        directives = list(read_directives(source.read_text()))
        print(f"A ledger of {len(directives):,} directives, made by bean-example.")
        with EmbeddedRelay(folder / "relay", RELAY_CHANGESET_DAYS="0") as relay, ExitStack() as devices:
            print(f"A relay at {relay.url}, with its store in an empty folder.")
            play(relay, directives, folder, devices)


def play(relay: EmbeddedRelay, directives: list[Directive], folder: Path, devices: ExitStack) -> None:
    """Play the scenes, and print the figures."""
    laptop = devices.enter_context(LedgerDevice.found(folder / "laptop", relay.url))
    phone = devices.enter_context(LedgerDevice.join(folder / "phone", laptop))
    print("The laptop founded a vault and invited the phone.")

    seconds = sync_from_scratch(laptop, phone, directives)
    edit_on_both_sides(laptop, phone)
    show_what_the_relay_holds(relay, laptop)
    check_that_the_relay_reads_nothing(relay, laptop)
    sealed = sealed_bytes(relay.folder)

    pruned = snapshot_and_prune(relay, laptop)
    tablet = devices.enter_context(join_from_the_snapshot(folder / "tablet", laptop, phone))
    revoke(relay, phone, laptop, tablet)

    scene("In the end.")
    check(laptop.items() == tablet.items(), "all remaining ledgers are equal")
    check(laptop.vault.head == tablet.vault.head, "and stand at the same verified head")
    for device in (laptop, tablet):
        check_ledger_file(device.save(folder), device.name)
    check_that_the_relay_reads_nothing(relay, laptop, ", its snapshot included,")
    head = laptop.vault.head
    show_table(
        {
            "changes synced": f"{laptop.changes_applied:,}",
            "sealed bytes, before they were pruned": f"{sealed:,}",
            "seconds for the first sync, both ways": f"{seconds:.2f}",
            "verified head": f"seq {head.seq:,}, chain {base64url(head.chain)}",
            "sealed bytes of the snapshot": f"{pruned.snapshot_bytes:,}",
            "changesets pruned": f"{pruned.changesets:,}",
        }
    )


if __name__ == "__main__":
    main()
