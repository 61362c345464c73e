"""A recovery sheet: handed out to a terminal that forgets it or into a private file, and asked for again."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import click

from sync_relay_client.cli.failures import Failure
from sync_relay_client.cli.settings import Settings
from sync_relay_client.profile.private_file import sync_folder
from sync_relay_client.vault import Vault
from sync_relay_client.words import RECOVERY_WORDS, split_words

if sys.platform != "win32":
    import termios

_ASK = "The 24 words"
_COLUMNS = 4
_ENTER_SCREEN, _LEAVE_SCREEN = "\x1b[?1049h\x1b[2J\x1b[H", "\x1b[?1049l"
"""The alternate screen of a terminal: once left, what was on it can't be scrolled back to."""


def offer_sheet(settings: Settings, vault: Vault) -> bool:
    """Ask whether to show the words, show them, ask whether they are noted down, and only then forget them.

    Return whether there was a terminal to ask at.
    """
    words = vault.recovery_words()
    if words is None:
        return True
    if settings.silent or not (sys.stdin.isatty() and sys.stderr.isatty()):
        settings.note("The recovery sheet waits to be noted down: sync-relay sheet")
        return False
    click.echo("The recovery sheet: 24 words that bring the vault back when all devices are lost.", err=True)
    click.echo("Whoever reads them can read the vault. Have pen and paper ready, and nobody behind you.", err=True)
    if click.confirm("Show the words now?", default=True, err=True):
        _show(words.split())
        if click.confirm("Are all 24 words on paper?", err=True):
            vault.forget_recovery_words()
            click.echo("This device has forgotten them: the paper is all there is.", err=True)
            return True
    click.echo("They are kept for now: sync-relay sheet", err=True)
    return True


def write_sheet(path: Path, words: str) -> None:
    """Write the words to a new file that its owner alone can read, and see it on the disk. Raises Failure."""
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write("".join(f"{number:2}. {word}\n" for number, word in enumerate(words.split(), 1)))
            file.flush()
            os.fsync(file.fileno())
        with suppress(OSError):  # not every stick's file system can do that
            sync_folder(path.parent)
    except OSError as error:
        raise Failure(f"The file can't be written: {error.strerror}.") from error


def ask_for_words() -> str:
    """Ask for a sheet's words on the terminal, without showing them, until there are 24: on one line, or on many."""
    if sys.platform == "win32":
        return click.prompt(_ASK, hide_input=True, err=True)
    text = ""
    with _unseen():
        click.echo(f"{_ASK}: ", nl=False, err=True)
        count = 0
        while count < RECOVERY_WORDS:
            line = sys.stdin.readline()
            if not line:
                raise click.Abort
            text += line
            count = len(split_words(text))
            click.echo(f"\r{count} of {RECOVERY_WORDS} words: ", nl=False, err=True)
        click.echo(err=True)
    return text


@contextmanager
def _unseen() -> Iterator[None]:
    """Show nothing of what is typed; what was pasted and not read is thrown away, else a shell would be given it."""
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    quiet = [*before]
    quiet[3] &= ~termios.ECHO
    termios.tcsetattr(terminal, termios.TCSADRAIN, quiet)
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSAFLUSH, before)


def _show(words: list[str]) -> None:
    numbered = [f"{number:2}. {word:<10}" for number, word in enumerate(words, 1)]
    rows = len(numbered) // _COLUMNS
    click.echo(_ENTER_SCREEN, nl=False, err=True)
    try:
        for row in range(rows):
            click.echo("  ".join(numbered[row::rows]), err=True)
        click.prompt("\nPress Enter to hide them", default="", show_default=False, prompt_suffix=" ", err=True)
    finally:
        click.echo(_LEAVE_SCREEN, nl=False, err=True)
