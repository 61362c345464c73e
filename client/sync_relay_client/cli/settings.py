"""What all commands share: which profile, the options that each of them takes, and how they speak."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from sync_relay_client.flow import Progress
from sync_relay_client.options import Options
from sync_relay_client.profile.api_key import check_api_key
from sync_relay_client.profile.secrets import KeyringChoice
from sync_relay_client.qr import terminal_code
from sync_relay_client.retry import Retry
from sync_relay_client.vault import Vault

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

APP_NAME = "sync-relay"

_NO_QR = "(No QR code: the window is too narrow, or the text too long.)"
_ATTEMPTS = 5
"""Before a command gives up: somebody waits for it, for some ten seconds at most unless the relay asks for more."""


@dataclass
class Settings:
    """Which profile, and how to speak. Results go to standard output, all else to standard error."""

    folder: Path = field(default_factory=lambda: Path(click.get_app_dir(APP_NAME)))
    as_json: bool = False
    quiet: bool = False
    options: Options = field(default_factory=lambda: Options(retry=Retry(max_attempts=_ATTEMPTS)))

    def open(self) -> Vault:
        """Open the profile's vault. Raises what `Vault.open` raises."""
        return Vault.open(self.folder, options=self.options)

    def result(self, text: str, **members: Any) -> None:  # noqa: ANN401 -- JSON members
        """Show a result: the text, or with --json the members as one line."""
        click.echo(json.dumps(members, ensure_ascii=False) if self.as_json else text)

    @property
    def silent(self) -> bool:
        """Whether nothing but results is wanted."""
        return self.quiet or self.as_json

    def note(self, text: str) -> None:
        """Say something to whoever reads along."""
        if not self.silent:
            click.echo(text, err=True)

    def show_qr(self, text: str) -> None:
        """Show a QR code, if notes are read on a terminal; say so where there can be none."""
        if not self.silent and sys.stderr.isatty():
            columns = os.get_terminal_size(sys.stderr.fileno()).columns
            click.echo(terminal_code(text, columns) or _NO_QR, err=True)

    @contextmanager
    def progress(self, label: str) -> Iterator[Progress]:
        """Yield what shows on a terminal how far a transfer is."""
        bars: list[ProgressBar[int]] = []

        def show(done_bytes: int, all_bytes: int) -> None:
            if not bars:
                bar = click.progressbar(length=all_bytes, label=label, file=sys.stderr)
                bars.append(shown.enter_context(bar))
            bars[0].length = all_bytes
            bars[0].update(done_bytes - bars[0].pos)

        def show_nothing(_: int, __: int) -> None:
            """Stand in where nobody looks."""

        with ExitStack() as shown:
            yield show_nothing if self.silent or not sys.stderr.isatty() else show


class Command(click.Command):
    """A command that also takes the options which all of them share, and shows an example in its help."""

    def __init__(self, name: str | None, *, example: str, **members: Any) -> None:  # noqa: ANN401 -- click's own
        members["params"] = [*members.get("params", []), *shared_options()]
        super().__init__(name, epilog=f"\b\nExample:\n  {example.replace(chr(10), chr(10) + '  ')}", **members)


class CodeCommand(Command):
    """A command that takes a code or an id: base64url, of which one in 64 begins as an option does."""

    ignore_unknown_options = True


def shared_options() -> list[click.Parameter]:
    """Return the options that may stand before a command or after it."""
    return [
        click.Option(
            ["--profile"],
            type=click.Path(file_okay=False, path_type=Path),
            envvar="SYNC_RELAY_PROFILE",
            expose_value=False,
            callback=_take_profile,
            help="The profile's folder. [default: sync-relay in your configuration folder]",
        ),
        click.Option(
            ["--keyring"],
            type=click.Choice(["auto", "file", "keyring"]),
            expose_value=False,
            callback=_take_keyring,
            help="Where a new profile's key goes: the system's keyring if there is one, or a file of mode 0600.",
        ),
        click.Option(
            ["--api-key-file"],
            type=click.File("r"),
            expose_value=False,
            callback=_take_api_key,
            help="Holds the API key that this relay asks for. The profile keeps it: give it once.",
        ),
        click.Option(["--json"], is_flag=True, expose_value=False, callback=_take_json, help="Results as JSON lines."),
        click.Option(["--quiet"], is_flag=True, expose_value=False, callback=_take_quiet, help="Results alone."),
    ]


def _take_profile(context: click.Context, _: click.Parameter, folder: Path | None) -> None:
    if folder is not None:
        context.ensure_object(Settings).folder = folder


def _take_keyring(context: click.Context, _: click.Parameter, choice: KeyringChoice | None) -> None:
    if choice is not None:
        settings = context.ensure_object(Settings)
        settings.options = replace(settings.options, keyring=choice)


def _take_api_key(context: click.Context, _: click.Parameter, file: TextIO | None) -> None:
    if file is not None:
        settings = context.ensure_object(Settings)
        with file:
            text = file.read().strip()
        try:
            api_key = check_api_key(text)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None
        settings.options = replace(settings.options, api_key=api_key)


def _take_json(context: click.Context, _: click.Parameter, chosen: bool) -> None:  # noqa: FBT001 -- click's own
    if chosen:
        context.ensure_object(Settings).as_json = True


def _take_quiet(context: click.Context, _: click.Parameter, chosen: bool) -> None:  # noqa: FBT001 -- click's own
    if chosen:
        context.ensure_object(Settings).quiet = True


def need_terminal(instead: str) -> None:
    """Raise UsageError, which says what to do instead, unless there is a terminal to ask at."""
    if not sys.stdin.isatty():
        raise click.UsageError(f"There is no terminal to ask at: {instead}.")


def printable(text: str) -> str:
    """Return a text of somebody else's so that a terminal only shows it: no control characters, one line."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)
