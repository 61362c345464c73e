"""The entry point: the list of all commands, and how a command ends."""

import errno
from typing import Any

import click
from click.shell_completion import get_completion_class

from sync_relay_client.cli import changes, devices, doctor, pairing, snapshots, standing, vaults
from sync_relay_client.cli.failures import EXIT_INTERRUPTED, STATUSES_HELP, Failure, exit_status, report, report_failure
from sync_relay_client.cli.settings import Command, Settings, shared_options
from sync_relay_client.errors import SyncRelayError

PROGRAM = "sync-relay"
_COMPLETION_VARIABLE = "_SYNC_RELAY_COMPLETE"


class Program(click.Group):
    """All commands. An error of the tree ends one with its own exit status, an interrupt with 130."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 -- as click declares it
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except SyncRelayError as error:
            report(error, ctx.ensure_object(Settings))
            ctx.exit(exit_status(error))
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise  # click ends quietly: whoever read along has enough
            failure = Failure(f"{error.filename or 'A file'}: {error.strerror}.")
            report_failure(failure, ctx.ensure_object(Settings))
            ctx.exit(failure.exit_code)
        except Failure as failure:
            report_failure(failure, ctx.ensure_object(Settings))
            ctx.exit(failure.exit_code)
        except (KeyboardInterrupt, click.Abort):
            click.echo(f"\n{PROGRAM}: stopped; what was done is kept, the rest can be asked for again", err=True)
            ctx.exit(EXIT_INTERRUPTED)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- as click declares it
        """Return the commands in the order in which they are met."""
        return list(self.commands)


@click.command(cls=Command, example='eval "$(sync-relay completion bash)"')
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print what makes SHELL complete commands.

    Evaluate it in the shell's start file.
    """
    found = get_completion_class(shell)
    assert found is not None, "click knows the three"
    click.echo(found(cli, {}, PROGRAM, _COMPLETION_VARIABLE).source())


cli = Program(
    PROGRAM,
    params=shared_options(),
    help="""Sync a vault through a relay that can read nothing of it.

    On the first device `sync-relay init URL` founds a vault. On each further one `sync-relay join` shows a request,
    which `sync-relay invite` on the first one answers. Then push and pull, on all of them.

    Results go to standard output, all else to standard error. Secrets are read from prompts, files and standard
    input alone.
    """,
    epilog=STATUSES_HELP,
)
click.version_option(package_name="sync-relay-client", message="%(prog)s %(version)s", prog_name=PROGRAM)(cli)
for command in (
    vaults.init,
    vaults.sheet,
    pairing.request,
    pairing.join,
    pairing.invite,
    vaults.recover,
    changes.push,
    changes.pull,
    changes.sync,
    changes.watch,
    changes.export,
    snapshots.snapshot,
    devices.devices,
    devices.revoke,
    standing.verify,
    standing.status,
    doctor.doctor,
    standing.accept_epoch,
    vaults.erase,
    completion,
):
    cli.add_command(command)


def main() -> None:
    """Run a command, and exit with its status."""
    cli(prog_name=PROGRAM)
