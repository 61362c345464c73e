"""The demo, scene by scene. Everything it claims is checked as it goes; the first thing that fails ends it."""

import argparse
import subprocess
import tempfile
from contextlib import ExitStack, closing
from pathlib import Path

from demo.claims import SCRIPTS, check, check_ledger_file, scene, show_table
from demo.device import LedgerDevice
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
from tools.emulator.relay import BuiltRelay
from tools.stand_ins.aws import dynamodb_served, s3_served
from tools.stand_ins.stores import Stores

LEDGER = ("--seed", "2604", "--date-begin", "2019-01-01", "--date-end", "2026-01-01", "--date-birth", "1980-05-12")


def main() -> None:
    """Play the demo in a temporary folder."""
    parser = argparse.ArgumentParser(prog="demo", description=__doc__)
    parser.add_argument("--aws-local", action="store_true", help="by the functions as sam built them")
    is_on_aws = parser.parse_args().aws_local
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "example.beancount"
        subprocess.run([SCRIPTS / "bean-example", *LEDGER, "-o", source], check=True, capture_output=True)
        directives = list(read_directives(source.read_text()))
        print(f"A ledger of {len(directives):,} directives, made by bean-example.")
        with ExitStack() as stack:
            relay = relay_on_aws(stack, folder) if is_on_aws else relay_on_disk(stack, folder)
            play(relay, directives, folder, stack)


def relay_on_disk(stack: ExitStack, folder: Path) -> EmbeddedRelay:
    """Start the embedded relay."""
    relay = stack.enter_context(EmbeddedRelay(folder / "relay", RELAY_CHANGESET_DAYS="0"))
    print(f"A relay at {relay.url}, with its store in an empty folder.")
    return relay


def relay_on_aws(stack: ExitStack, folder: Path) -> EmbeddedRelay:
    """Start what sam built, each function under the Lambda runtime's emulator, on stand-ins for DynamoDB and S3."""
    urls = stack.enter_context(dynamodb_served()), stack.enter_context(s3_served())
    stores = stack.enter_context(closing(Stores(*urls)))
    relay = stack.enter_context(BuiltRelay(folder / "relay", stores, RELAY_CHANGESET_DAYS="0"))
    print(f"A relay at {relay.url}: the functions as sam built them, with empty tables and an empty bucket.")
    return relay


def play(relay: EmbeddedRelay, directives: list[Directive], folder: Path, devices: ExitStack) -> None:
    """Play the scenes, and print the figures."""
    holdings = relay.holdings
    laptop = devices.enter_context(LedgerDevice.found(folder / "laptop", relay.url))
    phone = devices.enter_context(LedgerDevice.join(folder / "phone", laptop))
    print("The laptop founded a vault and invited the phone.")

    seconds = sync_from_scratch(laptop, phone, directives)
    edit_on_both_sides(laptop, phone)
    show_what_the_relay_holds(holdings, laptop)
    check_that_the_relay_reads_nothing(holdings, laptop)
    sealed = holdings.sealed_bytes()

    pruned = snapshot_and_prune(relay, laptop)
    tablet = devices.enter_context(join_from_the_snapshot(folder / "tablet", laptop, phone))
    revoke(holdings, phone, laptop, tablet)

    scene("In the end.")
    check(laptop.items() == tablet.items(), "all remaining ledgers are equal")
    check(laptop.vault.head == tablet.vault.head, "and stand at the same verified head")
    for device in (laptop, tablet):
        check_ledger_file(device.save(folder), device.name)
    check_that_the_relay_reads_nothing(holdings, laptop, ", its snapshot included,")
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
