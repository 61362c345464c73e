"""Where this device stands: what it holds, whether the relay's log is the one it verified, and a restored relay."""

from dataclasses import asdict

import click

from relay_protocol.encoding import base64url
from sync_relay_client.cli.failures import Failure
from sync_relay_client.cli.settings import Command, Settings, need_terminal


@click.command(cls=Command, example="sync-relay verify")
@click.pass_obj
def verify(settings: Settings) -> None:
    """Read the whole log again, and compare.

    It is held against what this device has verified: a relay that has dropped, changed or reordered anything since
    is found out.
    """
    with settings.open() as vault:
        found = vault.verify()
    settings.result(
        f"The log is whole from {found.floor.seq} to {found.head.seq}: {found.changesets} changesets,"
        f" {found.compared} of them as this device had verified them before.",
        floor_seq=found.floor.seq,
        head_seq=found.head.seq,
        head_chain=base64url(found.head.chain),
        changesets=found.changesets,
        compared=found.compared,
    )


@click.command(cls=Command, example="sync-relay status --json")
@click.pass_obj
def status(settings: Settings) -> None:
    """Show where this device is and what waits. The relay is not asked."""
    with settings.open() as vault:
        found = vault.status()
    members = asdict(found) | {"head": {"seq": found.head.seq, "chain": base64url(found.head.chain)}}
    rows = [f"{name.replace('_', ' '):<16}{_shown(value)}" for name, value in members.items()]
    settings.result("\n".join(rows), **members)


@click.command(cls=Command, example="sync-relay accept-epoch")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def accept_epoch(settings: Settings, *, yes: bool) -> None:
    """Go on at a relay whose store was restored from a backup.

    Do so only if whoever runs the relay says that this happened. What devices pushed since the backup was made
    is lost there; this device's own changes are sent again.
    """
    with settings.open() as vault:
        if not yes:
            need_terminal("give --yes")
            if not click.confirm("Was the relay's store restored from a backup, as its operator says?", err=True):
                raise Failure("Nothing has changed.")
        accepted = vault.accept_epoch()
    settings.result(
        f"Accepted. The log ends at {accepted.head.seq}; {accepted.lost_changesets} changesets are lost there.",
        head_seq=accepted.head.seq,
        lost_changesets=accepted.lost_changesets,
    )
    settings.note("Next: sync-relay sync, on each device that has changes of its own.")


def _shown(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case None:
            return "no"
        case {"seq": seq, "chain": chain}:
            return f"{seq}  {chain}"
    return str(value)
