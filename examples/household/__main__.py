"""The ledger as a command: `python -m examples.household FOLDER list`.

A device gets into the household's vault by `sync-relay --profile FOLDER init URL` or `join`, see docs/tour.md.
"""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from examples.household.ledger import Ledger
from sync_relay_client import Options, Retry, Vault
from sync_relay_client.errors import RelayUnreachable

OPTIONS = Options(retry=Retry(max_attempts=2))
"""Someone waits for the prompt: without network, what was edited is kept, and the next command sends it."""


def main() -> None:
    """Run one command on the ledger in a profile's folder."""
    arguments = _parser().parse_args()
    with Vault.open(arguments.folder, options=OPTIONS) as vault, Ledger(vault, arguments.folder) as ledger:
        run(ledger, arguments)


def run(ledger: Ledger, arguments: argparse.Namespace) -> None:
    """Do what was asked for, here; then sync, or leave that for later."""
    if arguments.command == "spend":
        account_id = ledger.accounts().get(arguments.account) or ledger.add_account(arguments.account)
        ledger.add_entry(account_id, f"{datetime.now(UTC):%Y-%m-%d}", round(arguments.amount * 100), arguments.note)
    elif arguments.command == "note":
        ledger.edit_entry(arguments.entry, note=arguments.note)
    elif arguments.command == "delete":
        ledger.delete_entry(arguments.entry)
    try:
        ledger.sync()
    except RelayUnreachable as error:
        print(f"Kept for later: {error}.")
    for entry in ledger.entries():
        print(f"{entry.id}  {entry.day}  {entry.account:<12}{entry.cents / 100:>10.2f}  {entry.note}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m examples.household", description=__doc__)
    parser.add_argument("folder", type=Path, help="the profile's folder")
    commands = parser.add_subparsers(dest="command", required=True)
    spend = commands.add_parser("spend", help="add an entry")
    spend.add_argument("account")
    spend.add_argument("amount", type=float)
    spend.add_argument("note")
    note = commands.add_parser("note", help="change an entry's note")
    note.add_argument("entry")
    note.add_argument("note")
    delete = commands.add_parser("delete", help="delete an entry")
    delete.add_argument("entry")
    commands.add_parser("list", help="sync, and show the entries")
    return parser


if __name__ == "__main__":
    main()
