"""Snapshots: make one of the archive or of any file, and go on from one."""

from pathlib import Path
from shutil import copyfileobj
from sqlite3 import Connection
from typing import BinaryIO

import click

from sync_relay_client.cli.archive import take_in, write_archive
from sync_relay_client.cli.settings import Command, Settings
from sync_relay_client.errors import NotCaughtUp
from sync_relay_client.flow import Progress
from sync_relay_client.flows.snapshotting import SnapshotMade, Write
from sync_relay_client.vault import Vault

_ATTEMPTS = 5
"""How often others may push between our pulling and our sealing."""


@click.group()
def snapshot() -> None:
    """Make a snapshot of the vault, or go on from the latest one."""


@snapshot.command(cls=Command, example="sync-relay snapshot create\nsync-relay snapshot create --file ledger.sqlite3")
@click.option("--file", type=click.File("rb"), help="Any content, of your own application, instead of the archive.")
@click.option("--schema-version", type=click.IntRange(min=1), default=1, show_default=True)
@click.pass_obj
def create(settings: Settings, *, file: BinaryIO | None, schema_version: int) -> None:
    """Seal a snapshot and send it. Without --file it holds all that `sync-relay export` prints.

    A relay may prune changes that a snapshot covers; newcomers then begin at it. An upload that was cut goes on
    with the next create, sync or watch.
    """

    def write(target: BinaryIO, connection: Connection) -> None:
        if file is None:
            write_archive(target, connection)
        else:
            copyfileobj(file, target)

    with settings.open() as vault, settings.progress("Sending") as progress:
        made = _make(vault, settings.folder, write, schema_version, progress)
    settings.result(
        f"The snapshot covers {made.covers.seq} changesets, in {made.size_bytes} bytes.",
        sha256=made.sha256,
        covers_seq=made.covers.seq,
        size_bytes=made.size_bytes,
    )


@snapshot.command(cls=Command, example="sync-relay snapshot restore --output ledger.sqlite3")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Where its content goes; mode 0600.")
@click.pass_obj
def restore(settings: Settings, *, output: Path | None) -> None:
    """Go on from the latest snapshot, if it is ahead of what this device has verified.

    All of it is checked before any of it is used. An archive replaces this device's; other content goes to
    --output, or else into the profile's folder. After that `sync-relay pull` brings what is newer.
    """
    with settings.open() as vault:
        with settings.progress("Receiving") as progress:
            is_restored = vault.restore(progress)
        content = take_in(vault, settings.folder, output)
        head = vault.head
    settings.result(
        f"Went on from the snapshot that covers {head.seq} changesets."
        if is_restored
        else "There is no snapshot ahead of what this device has verified.",
        restored=is_restored,
        head_seq=head.seq,
        content=None if content is None else str(content),
    )
    if content is not None:
        settings.note(f"Its content is in {content}")


def _make(vault: Vault, folder: Path, write: Write, schema_version: int, progress: Progress) -> SnapshotMade:
    for _ in range(_ATTEMPTS):
        vault.sync()
        take_in(vault, folder)
        try:
            return vault.snapshot(write, schema_version=schema_version, progress=progress)
        except NotCaughtUp:
            continue
    raise NotCaughtUp("other devices push faster than a snapshot is made: try again later")
