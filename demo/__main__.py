"""The demo, step by step. Everything it claims is checked as it goes; the first thing that fails ends it."""

import json
import subprocess
import sys
import tempfile
import time
import uuid
from dataclasses import replace
from pathlib import Path

from demo.device import LedgerDevice
from demo.disk import found_on_disk, stored_row
from demo.ledger import Directive, read_directives
from relay_protocol.encoding import base64url
from sync_relay_client import DeviceKey
from tools.embedded import EmbeddedRelay

SCRIPTS = Path(sys.executable).parent
LEDGER = ("--seed", "2604", "--date-begin", "2019-01-01", "--date-end", "2026-01-01", "--date-birth", "1980-05-12")
EDITS = 40


def main() -> None:
    """Play the demo in a temporary folder."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "example.beancount"
        subprocess.run([SCRIPTS / "bean-example", *LEDGER, "-o", source], check=True, capture_output=True)
        directives = list(read_directives(source.read_text()))
        print(f"A ledger of {len(directives):,} directives, made by bean-example.")
        with EmbeddedRelay(folder / "relay") as relay:
            play(relay, directives, folder)


def play(relay: EmbeddedRelay, directives: list[Directive], folder: Path) -> None:
    """Sync the ledger between two devices, edit on both, and check what came of it."""
    print(f"A relay at {relay.url}, with its store in an empty folder.")
    laptop = LedgerDevice.found("laptop", relay.url)
    phone_key = DeviceKey.generate()
    phone = LedgerDevice.join("phone", phone_key, laptop.invite(phone_key.public_key))
    print("The laptop founded a vault and invited the phone.\n")

    started = time.perf_counter()
    laptop.push([(str(uuid.uuid4()), directive) for directive in directives])
    phone.pull()
    laptop.pull()
    first_sync_seconds = time.perf_counter() - started
    check(phone.ledger == laptop.ledger, "the phone has the laptop's ledger")
    check(len(phone.ledger) == len(directives), "with every directive of the file")

    laptop.push(edits_of(laptop, "paid by the laptop", first=0))
    phone.push(edits_of(phone, "seen on the phone", first=EDITS // 2))  # half of them the laptop edited, too
    laptop.pull()
    phone.pull()
    check(phone.ledger == laptop.ledger, "after edits on both sides, some of the same transactions, they agree")

    show_what_the_relay_holds(relay, laptop)
    for device in (laptop, phone):
        file = folder / f"{device.name}.beancount"
        file.write_text(device.ledger.text())
        checked = subprocess.run([SCRIPTS / "bean-check", file], check=False, capture_output=True)
        check(checked.returncode == 0, f"bean-check passes the {device.name}'s ledger")
    show_table(laptop, phone, first_sync_seconds)
    for device in (laptop, phone):
        device.close()


def edits_of(device: LedgerDevice, remark: str, first: int) -> list[tuple[str, Directive | None]]:
    """Return edits as a person makes them: remarks on transactions, a new expense, and a price removed."""
    items = device.ledger.items()
    transactions = [item for item in items if item[1].kind == "transaction"]
    remarked: list[tuple[str, Directive | None]] = [
        (entity_id, replace(found, text=f'{found.text}  remark: "{remark}"\n'))
        for entity_id, found in transactions[first : first + EDITS]
    ]
    last_place = items[-1][1].place
    expense = f'2026-01-02 * "Corner shop" "Bread, {remark}"\n  Expenses:Food:Groceries   3.20 USD\n  {cash(device)}\n'
    price = next(entity_id for entity_id, found in reversed(items) if found.kind == "price")
    return [*remarked, (str(uuid.uuid4()), Directive(last_place + 1, "transaction", expense)), (price, None)]


def cash(device: LedgerDevice) -> str:
    """Return an account that money is paid from."""
    opened = (found.text.split()[2] for _, found in device.ledger.items() if found.kind == "open")
    return next(account for account in opened if account.endswith(":Checking"))


def show_what_the_relay_holds(relay: EmbeddedRelay, laptop: LedgerDevice) -> None:
    """Print the relay's row of one transaction, and search its disk for the words of the ledger."""
    entity_id, transaction = next(item for item in laptop.ledger.items() if item[1].kind == "transaction")
    print("\nOne transaction on the laptop:\n")
    print(transaction.text)
    print("What the relay's database holds of the last one pushed:\n")
    row = stored_row(relay.folder, laptop.session.head.seq)
    text = json.loads(str(row.pop("text"), "utf-8"))
    for name, value in (row | {f"text.{member}": value for member, value in text.items()}).items():
        shown = base64url(value) if isinstance(value, bytes) else str(value)
        print(f"  {name:<22}{shown[:80]}{'…' if len(shown) > 80 else ''}")
    print()
    words = {word.encode() for _, found in laptop.ledger.items() for word in found.text.split('"') if len(word) > 8}
    words |= {entity_id.encode(), b"Expenses:", b"transaction", b"upsert", b"laptop"}
    found = found_on_disk(relay.folder, words)
    check(not found, f"none of {len(words):,} words and phrases of the ledger stands anywhere on its disk")


def show_table(laptop: LedgerDevice, phone: LedgerDevice, first_sync_seconds: float) -> None:
    """Print the figures."""
    check(laptop.session.head == phone.session.head, "both verified the same head")
    head = laptop.session.head
    print()
    for name, figure in (
        ("changes synced", f"{laptop.changes_applied:,}"),
        ("sealed bytes pushed", f"{laptop.bytes_sealed + phone.bytes_sealed:,}"),
        ("seconds for the first sync, both ways", f"{first_sync_seconds:.2f}"),
        ("verified head", f"seq {head.seq:,}, chain {base64url(head.chain)}"),
    ):
        print(f"  {name:<40}{figure}")


def check(holds: bool, claim: str) -> None:  # noqa: FBT001 -- a claim, and whether it holds
    """Print a claim that holds; end the demo at one that does not."""
    if not holds:
        sys.exit(f"FAILED: {claim}")
    print(f"  ✓ {claim}")


if __name__ == "__main__":
    main()
