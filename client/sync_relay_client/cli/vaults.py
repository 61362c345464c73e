"""The vault as a whole: found it, bring it back, look after it, erase it."""

import sys
from pathlib import Path
from typing import TextIO

import click

from sync_relay_client.address import RelayAddress
from sync_relay_client.cli.failures import Failure
from sync_relay_client.cli.pairing import show_membership
from sync_relay_client.cli.settings import Command, Settings, need_terminal
from sync_relay_client.cli.sheets import ask_for_words, offer_sheet, write_sheet
from sync_relay_client.errors import RelayRefused
from sync_relay_client.flows.leaving import GONE
from sync_relay_client.vault import Vault

SHOWN_ID_CHARACTERS = 8


class RelayUrl(click.ParamType[str]):
    """The address of a relay."""

    name = "url"

    def convert(self, value: str, parameter: click.Parameter | None, context: click.Context | None) -> str:
        """Return the address as it is kept; fail on what is none."""
        try:
            return str(RelayAddress.parse(value))
        except ValueError as error:
            self.fail(str(error), parameter, context)


@click.command(cls=Command, example="sync-relay init https://relay.example")
@click.argument("relay_url", metavar="URL", type=RelayUrl())
@click.option("--token-file", type=click.File("r"), help="Holds the token that this relay wants for a new vault.")
@click.option("--no-recovery", is_flag=True, help="Make no recovery sheet: a vault without devices is lost.")
@click.pass_obj
def init(settings: Settings, *, relay_url: str, token_file: TextIO | None, no_recovery: bool) -> None:
    """Found a vault at the relay of URL, with this device in it.

    Its keys are drawn here and never leave your devices. On a terminal it then offers to show the recovery
    sheet: 24 words, on paper, that bring the vault back when all devices are lost.
    """
    token = token_file.read().strip() if token_file else None
    options = settings.options
    with Vault.create(
        settings.folder, relay_url, recovery=not no_recovery, creation_token=token, options=options
    ) as vault:
        show_membership(settings, vault)
        offer_sheet(settings, vault)


@click.command(cls=Command, example="sync-relay sheet\nsync-relay sheet --output /media/stick/sheet.txt")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="A new file, of mode 0600.")
@click.pass_obj
def sheet(settings: Settings, *, output: Path | None) -> None:
    """Show the recovery sheet, until it is noted down.

    Once you say that its 24 words are noted down, this device forgets them. The words are the vault: whoever has them
    reads everything in it. They go to a terminal or into a file, never into a pipe.
    """
    with settings.open() as vault:
        words = vault.recovery_words()
        if words is None:
            raise Failure("There is nothing to show: the words were noted down, or the vault has no recovery sheet.")
        if output is not None:
            write_sheet(output, words)
            vault.forget_recovery_words()
            settings.note(f"The words are in {output}, and on this device no more.")
        elif not offer_sheet(settings, vault):
            raise Failure("There is no terminal to show the words on: give --output FILE.")


@click.command(cls=Command, example="sync-relay recover https://relay.example")
@click.argument("relay_url", metavar="URL", type=RelayUrl())
@click.option(
    "--pass-over",
    type=click.IntRange(min=1),
    metavar="SEQ",
    multiple=True,
    help="Leave out what a revoked device wrote.",
)
@click.pass_obj
def recover(settings: Settings, *, relay_url: str, pass_over: tuple[int, ...]) -> None:
    """Bring a vault back by its recovery sheet.

    It asks for the 24 words without showing them, or reads them from standard input.
    """
    words = ask_for_words() if sys.stdin.isatty() else sys.stdin.read()
    with Vault.recover(settings.folder, relay_url, words, pass_over=pass_over, options=settings.options) as vault:
        show_membership(settings, vault)
    settings.note("Next: sync-relay pull, and sync-relay devices: revoke those that are lost.")


@click.command(cls=Command, example="sync-relay erase")
@click.option("--confirm", metavar="ID", help="For scripts: the first 8 characters of the vault's id.")
@click.pass_obj
def erase(settings: Settings, *, confirm: str | None) -> None:
    """Erase the vault at the relay, for ever and for all devices.

    What the devices hold stays there: `sync-relay export` still prints it.
    """
    with settings.open() as vault:
        vault_id = vault.status().vault_id
        if confirm is None:
            need_terminal("give --confirm with the vault's id")
            click.echo(f"This erases vault {vault_id} for ever, for all its devices.", err=True)
            confirm = click.prompt(f"Type the first {SHOWN_ID_CHARACTERS} characters of its id", err=True)
        if len(confirm) < SHOWN_ID_CHARACTERS or not vault_id.startswith(confirm):
            raise Failure("That is not this vault: nothing was erased.")
        try:
            vault.pull()  # the relay erases for one who has seen all there is
        except RelayRefused as error:
            if error.code not in GONE:
                raise
        vault.erase()
        settings.result(f"Vault {vault_id} is erased.", vault_id=vault_id, erased=True)
