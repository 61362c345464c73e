"""Changes: record and send them, pull and print them, print all there are."""

import getpass
import time
from typing import BinaryIO

import click

from relay_protocol.encoding import rfc3339
from sync_relay_client.cli.archive import archived_lines, take_in
from sync_relay_client.cli.failures import Failure
from sync_relay_client.cli.json_lines import Draft, read_push_lines
from sync_relay_client.cli.printing import show_new
from sync_relay_client.cli.settings import Command, Settings
from sync_relay_client.envelope import Change
from sync_relay_client.errors import ChangeTooLarge
from sync_relay_client.options import WATCH_SECONDS
from sync_relay_client.vault import Vault


def _login() -> str:
    """Return who is logged in; `-` for a user whom the system has no name for, as in many containers."""
    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError):
        return "-"


@click.command(
    cls=Command,
    example="""\
echo '{"entity": "note", "entity_id": "1", "payload": {"text": "milk"}}' | sync-relay push -
sync-relay push changes.jsonl
echo milk | sync-relay push --entity note --entity-id 1 --payload-file -""",
)
@click.argument("file", required=False, type=click.File("rb"))
@click.option("--entity", help="Of a single change: what kind of thing it is about.")
@click.option("--entity-id", help="Of a single change: which one.")
@click.option("--operation", default="upsert", show_default=True, help="Of a single change: what was done.")
@click.option("--payload-file", type=click.File("rb"), help="Of a single change: its content, - for standard input.")
@click.option("--user", default=_login, show_default="your login", help="Who did it.")
@click.option("--schema-version", type=click.IntRange(min=1), default=1, show_default=True)
@click.pass_obj
def push(
    settings: Settings,
    *,
    file: BinaryIO | None,
    entity: str | None,
    entity_id: str | None,
    operation: str,
    payload_file: BinaryIO | None,
    user: str,
    schema_version: int,
) -> None:
    """Record changes, and send all that are recorded.

    FILE holds JSON lines, - reads them from standard input. Each has entity, entity_id and payload (text or any
    JSON; else payload_base64url), and may have operation_type, origin_user, timestamp and schema_version. All lines are
    recorded, or none. Without network they are kept, and sent with the next push or sync.

    What you give as options other users of this machine may see while it runs; files and standard input they
    do not. The relay sees none of it.
    """
    now = rfc3339(time.time_ns() // 1_000_000)
    if file is not None:
        if entity is not None or entity_id is not None or payload_file is not None:
            raise click.UsageError("Give a FILE, or a single change by options.")
        drafts = list(read_push_lines(file, user, now))
    elif entity is not None and entity_id is not None and payload_file is not None:
        change = Change(user, now, operation, entity, entity_id, payload_file.read())
        drafts = [Draft(1, change, schema_version)]
    elif entity is None and entity_id is None and payload_file is None:
        drafts = []
    else:
        raise click.UsageError("A single change needs --entity, --entity-id and --payload-file.")
    with settings.open() as vault:
        line_of = _record(vault, drafts)
        try:
            sent = vault.push()
        except ChangeTooLarge as error:
            if error.changeset_id is None or error.changeset_id not in line_of:
                raise
            raise _taken_back(vault, error.changeset_id, f"Line {line_of[error.changeset_id]}: {error}") from None
        settings.result(f"{len(drafts)} recorded, {sent.changes} sent.", recorded=len(drafts), sent=sent.changes)
        if sent.snapshot_wanted is not None:
            settings.note("The relay would like a snapshot: sync-relay snapshot create")


@click.command(cls=Command, example="sync-relay pull\nsync-relay pull --json >> changes.jsonl")
@click.option("--pass-over", type=click.IntRange(min=1), metavar="SEQ", help="Leave out what a revoked device wrote.")
@click.pass_obj
def pull(settings: Settings, *, pass_over: int | None) -> None:
    """Pull what is new, verify it, and print it.

    For people a line a change, with --json the whole changes. Each is printed once; where a pipe was cut, or two
    commands print at the same moment, some are printed again.
    """
    with settings.open() as vault:
        if pass_over is not None:
            vault.pass_over(pass_over)
        with settings.progress("Snapshot") as progress:
            vault.pull(progress)
        show_new(settings, vault)


@click.command(cls=Command, example="sync-relay sync")
@click.pass_obj
def sync(settings: Settings) -> None:
    """Do all there is to do, and print what is new.

    It finishes what was begun and cut short, sends what is recorded, and pulls.
    """
    with settings.open() as vault:
        vault.sync()
        show_new(settings, vault)


@click.command(cls=Command, example="sync-relay watch --json | ./my-program")
@click.option("--interval", type=click.FloatRange(min=1), default=WATCH_SECONDS, show_default=True, metavar="SECONDS")
@click.pass_obj
def watch(settings: Settings, *, interval: float) -> None:
    """Sync for ever, and print what is new as it comes.

    Ctrl-C ends it. Without network it goes on trying.
    """
    with settings.open() as vault:
        settings.note("Watching; Ctrl-C ends it.")
        show_new(settings, vault)
        for _ in vault.watch(interval):
            show_new(settings, vault)


@click.command(cls=Command, example="sync-relay export > vault.jsonl")
@click.pass_obj
def export(settings: Settings) -> None:
    """Print every change there is, decrypted.

    As JSON lines, in the log's order; what was pulled so far, without asking the relay.
    """
    with settings.open() as vault:
        take_in(vault, settings.folder)
        for line in archived_lines(vault):
            click.echo(line)


def _record(vault: Vault, drafts: list[Draft]) -> dict[str, int]:
    """Record all changes, or none; return the line of each id. Raises Failure."""
    line_of: dict[str, int] = {}
    with vault.outbox() as outbox:
        for draft in drafts:
            try:
                changeset_id = outbox.add(draft.change, schema_version=draft.schema_version)
            except (ValueError, ChangeTooLarge) as error:
                raise Failure(f"Line {draft.line}: {error}. Nothing was recorded.") from None
            line_of[changeset_id] = draft.line
    return line_of


def _taken_back(vault: Vault, changeset_id: str, reason: str) -> Failure:
    """Take a change back that this relay does not take, and would have stand before all others."""
    with vault.outbox() as outbox:
        outbox.take_back(changeset_id)
    return Failure(f"{reason}. It was taken back; the others are recorded: sync-relay push")
