"""First scene: two devices sync a ledger, edit it on both sides, and agree. The relay could read none of it."""

import json
import time
import uuid
from collections.abc import Sequence
from dataclasses import replace

from demo.claims import check, scene
from demo.device import Edit, LedgerDevice
from demo.ledger import Directive
from relay_protocol.encoding import base64url
from tools.holdings.port import Holdings, found_in

EDITS = 40


def sync_from_scratch(laptop: LedgerDevice, phone: LedgerDevice, directives: Sequence[Directive]) -> float:
    """Bring a whole ledger from one device to the other; return the seconds that it took, both ways."""
    scene("Two devices sync.")
    started = time.perf_counter()
    laptop.record((str(uuid.uuid4()), directive) for directive in directives)
    laptop.sync()
    phone.sync()
    seconds = time.perf_counter() - started
    check(phone.items() == laptop.items(), "the phone has the laptop's ledger")
    check([found for _, found in phone.items()] == list(directives), "with every directive of the file")
    return seconds


def edit_on_both_sides(laptop: LedgerDevice, phone: LedgerDevice) -> None:
    """Edit on both devices before they sync, half of it in the same transactions."""
    laptop.record(edits_of(laptop, "paid by the laptop", first=0))
    phone.record(edits_of(phone, "seen on the phone", first=EDITS // 2))
    for device in (laptop, phone, laptop):
        device.sync()
    check(phone.items() == laptop.items(), "after edits on both sides, some of the same transactions, they agree")
    check(laptop.vault.head == phone.vault.head, "both verified the same head")


def edits_of(device: LedgerDevice, remark: str, first: int) -> list[Edit]:
    """Return edits as a person makes them: remarks on transactions, a new expense, and a price removed."""
    items = device.items()
    transactions = [item for item in items if item[1].kind == "transaction"]
    remarked: list[Edit] = [
        (entity_id, replace(found, text=f'{found.text}  remark: "{remark}"\n'))
        for entity_id, found in transactions[first : first + EDITS]
    ]
    last_place = items[-1][1].place
    expense = f'2026-01-02 * "Corner shop" "Bread, {remark}"\n  Expenses:Food:Groceries   3.20 USD\n  {_cash(items)}\n'
    price = next(entity_id for entity_id, found in reversed(items) if found.kind == "price")
    return [*remarked, (str(uuid.uuid4()), Directive(last_place + 1, "transaction", expense)), (price, None)]


def show_what_the_relay_holds(holdings: Holdings, laptop: LedgerDevice) -> None:
    """Print a transaction, and the relay's row of a changeset."""
    scene("One transaction on the laptop:")
    print(next(found.text for _, found in laptop.items() if found.kind == "transaction"))
    print("What the relay holds of the last one pushed:\n")
    row = holdings.row(laptop.vault.head.seq)
    text = json.loads(row.pop("text"))
    for name, value in (row | {f"text.{member}": value for member, value in text.items()}).items():
        shown = base64url(value) if isinstance(value, bytes) else str(value)
        print(f"  {name:<22}{shown[:80]}{'…' if len(shown) > 80 else ''}")
    print()


def check_that_the_relay_reads_nothing(holdings: Holdings, device: LedgerDevice, what: str = "") -> None:
    """Search all that the relay keeps for what stands in a ledger."""
    items = device.items()
    words = {word.encode() for _, found in items for word in found.text.split('"') if len(word) > 8}
    words |= {items[0][0].encode(), b"Expenses:", b"transaction", b"upsert", b"laptop"}
    device_id = device.vault.device_id.encode()
    found = found_in(holdings, words | {device_id})
    check(device_id in found, f"a search of the relay's {holdings.name}{what} finds what is there, as the device's id")
    check(found == {device_id}, f"and none of {len(words):,} words and phrases of the ledger, anywhere")


def _cash(items: Sequence[tuple[str, Directive]]) -> str:
    """Return an account that money is paid from."""
    opened = (found.text.split()[2] for _, found in items if found.kind == "open")
    return next(account for account in opened if account.endswith(":Checking"))
