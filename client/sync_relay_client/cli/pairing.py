"""Pairing for people: `request` and `join` on the new device, `invite` on one that belongs (§11 Invitation)."""

import sys
from contextlib import suppress

import click

from relay_protocol.devices import thumbprint
from sync_relay_client.cli.failures import Failure
from sync_relay_client.cli.settings import CodeCommand, Command, Settings, need_terminal
from sync_relay_client.invitation import read_request
from sync_relay_client.vault import Vault
from sync_relay_client.words import fingerprint, split_words


@click.command(cls=Command, example="sync-relay request")
@click.pass_obj
def request(settings: Settings) -> None:
    """Show this new device's request.

    That is all it needs to be invited, and no secret. `sync-relay join` shows it, too, and asks for the invitation.
    """
    show_request(settings)


@click.command(cls=CodeCommand, example="sync-relay join\nsync-relay join - < invitation.txt")
@click.argument("invitation", required=False)
@click.pass_obj
def join(settings: Settings, *, invitation: str | None) -> None:
    """Join a vault with this new device.

    Without INVITATION it shows this device's request, then asks for the invitation that `sync-relay invite` answers
    with on a device that belongs. With - it reads the invitation from standard input. An invitation opens on
    the device that it was made for, and on no other. A device that missed a change of the vault's key joins again so.
    """
    if invitation is None:
        need_terminal("give INVITATION, or - to read it from standard input")
        show_request(settings)
        invitation = _ask_long_line("Invitation")
    elif invitation == "-":
        invitation = sys.stdin.read()
    with Vault.join(settings.folder, "".join(invitation.split()), options=settings.options) as vault:
        show_membership(settings, vault)
    settings.note("Next: sync-relay pull")


@click.command(
    cls=CodeCommand, example='sync-relay invite REQUEST\nsync-relay invite REQUEST --yes "six words of the other"'
)
@click.argument("request_code", metavar="REQUEST")
@click.option("--yes", "words", metavar="WORDS", help="For scripts: the six words as the new device shows them.")
@click.option("--valid-minutes", type=click.IntRange(1, 7 * 24 * 60), default=60, show_default=True)
@click.pass_obj
def invite(settings: Settings, *, request_code: str, words: str | None, valid_minutes: int) -> None:
    """Let the device of REQUEST into the vault.

    You see six words. The new device shows them too: somebody who put another request in its place could
    not make them agree. After a yes it admits the device, and prints the invitation, which only that device can open.
    """
    expected = fingerprint(read_request(request_code))
    if words is None:
        need_terminal('give the words that the new device shows: --yes "WORDS"')
        click.echo(f"\n    {expected}\n", err=True)
        agree = click.confirm("Does the new device show exactly these six words?", err=True)
    else:
        agree = split_words(words) == expected.split()
    if not agree:
        raise Failure("The words differ: nobody was admitted.")
    with settings.open() as vault:
        invitation = vault.invite(request_code.strip(), valid_seconds=valid_minutes * 60)
    settings.note(f"The invitation, good for {valid_minutes} minutes, on the new device: sync-relay join\n")
    settings.result(invitation, invitation=invitation, device_id=thumbprint(read_request(request_code)))
    settings.show_qr(invitation)


def show_membership(settings: Settings, vault: Vault) -> None:
    """Show the vault that this device is in now."""
    status = vault.status()
    settings.result(
        f"This device is in vault {status.vault_id} at {status.relay_url}.",
        vault_id=status.vault_id,
        device_id=status.device_id,
        relay_url=status.relay_url,
    )


def show_request(settings: Settings) -> None:
    """Show this device's request as text, as a QR code and as six words; its key is made if there is none."""
    code = Vault.request(settings.folder, options=settings.options)
    public_key = read_request(code)
    words = fingerprint(public_key)
    settings.note("This device's request:\n")
    settings.result(code, request=code, fingerprint=words, device_id=thumbprint(public_key))
    settings.show_qr(code)
    settings.note(f"\nIts six words: {words}\n")
    settings.note(f"On a device that belongs:  sync-relay invite {code}\n")


def _ask_long_line(label: str) -> str:
    """Ask for a line that may be longer than the 4,095 bytes of a terminal's own line editing."""
    with suppress(ImportError):  # not on every platform
        import readline  # noqa: F401, PLC0415 -- once it is loaded, `input` edits lines with it
    return click.prompt(label)
