"""Changes on standard output: for scripts as whole lines of JSON, for people as one short line each."""

import json

import click

from sync_relay_client.cli.archive import print_new, take_in
from sync_relay_client.cli.settings import Settings, printable
from sync_relay_client.vault import Vault

_SHOWN_ID_CHARACTERS = 8
_SHOWN_PAYLOAD_CHARACTERS = 80


def show_new(settings: Settings, vault: Vault) -> None:
    """Apply what waits in the inbox, and print it."""
    content = take_in(vault, settings.folder)
    if content is not None:
        settings.note(f"The snapshot's content is another application's: it is in {content}")
    shown = print_new(vault, lambda line: click.echo(line if settings.as_json else _row(line)))
    settings.note(f"{shown} new; the verified head is {vault.head.seq}.")


def _row(line: str) -> str:
    """Return a change as a line for people: its place, author, what it does to what, and the payload's beginning."""
    change = json.loads(line)
    beginning = change.get("payload", "(bytes)")[:_SHOWN_PAYLOAD_CHARACTERS]
    names = f"{change['origin_user']}: {change['operation_type']} {change['entity']} {change['entity_id']}"
    return printable(f"{change['seq']:>6}  {change['author'][:_SHOWN_ID_CHARACTERS]}  {names}  {beginning}")
