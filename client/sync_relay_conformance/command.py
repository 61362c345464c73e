"""The command `sync-relay-conformance`."""

import sys
from pathlib import Path
from typing import NoReturn

import click

from sync_relay_conformance.registry import Check, selected
from sync_relay_conformance.relay import NoRelay, Relay
from sync_relay_conformance.reports import as_json, as_junit, line, summary
from sync_relay_conformance.runner import run

ALL_HOLD, SOMETHING_FAILED, COULD_NOT_RUN = 0, 1, 2


@click.command()
@click.option("--url", help="The relay's base URL.")
@click.option(
    "--vault-token", envvar="SYNC_RELAY_VAULT_TOKEN", help="The operator's token, where founding asks for it."
)
@click.option("--api-key-file", type=click.Path(path_type=Path), help="A file with the key for `x-api-key`.")
@click.option("--junit", type=click.Path(path_type=Path), help="Write the results here as JUnit XML.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write the results here as JSON.")
@click.option(
    "--only", metavar="PATTERN", help="Run the checks whose section and title hold this; * and ? may be in it."
)
@click.option("--list", "only_list", is_flag=True, help="List the checks, and run none.")
def main(
    url: str | None,
    vault_token: str | None,
    api_key_file: Path | None,
    junit: Path | None,
    json_file: Path | None,
    only: str | None,
    *,
    only_list: bool,
) -> None:
    """Check a sync relay against the protocol, from outside, over HTTP.

    Each check founds vaults of its own, and erases them. Exit status: 0 if all that was checked holds, 1 if something
    does not, 2 if nothing could be checked, or not all. The results of a run that is interrupted are written, too.
    """
    checks = list(selected(only))
    if not checks:
        _stop(f"no check's section and title hold {only!r}")
    if only_list:
        for check in checks:
            click.echo(f"§{check.section:4} {check.title}")
        return
    if url is None:
        _stop("--url is needed")
    try:
        api_key = None if api_key_file is None else api_key_file.read_text("utf-8").strip()
        with Relay(url, vault_token, api_key) as relay:
            status = _checked(relay, checks, junit, json_file)
    except (OSError, ValueError, NoRelay) as error:
        _stop(str(error))
    except KeyboardInterrupt:
        _stop("interrupted, and not cleaned up: vaults that were founded are left")
    sys.exit(status)


def _checked(relay: Relay, checks: list[Check], junit: Path | None, json_file: Path | None) -> int:
    """Run, tell and write the results; return the exit status."""
    results = run(relay, checks, lambda result: click.echo(line(result)))
    url = str(relay.address)
    click.echo(summary(url, results))
    if junit is not None:
        junit.write_bytes(as_junit(url, results))
    if json_file is not None:
        json_file.write_text(as_json(url, results) + "\n", "utf-8")
    if results[-1].outcome == "interrupted":
        _stop("interrupted; what was founded is erased")
    return SOMETHING_FAILED if any(result.outcome == "failed" for result in results) else ALL_HOLD


def _stop(reason: str) -> NoReturn:
    click.echo(f"sync-relay-conformance: {reason}", err=True)
    sys.exit(COULD_NOT_RUN)


if __name__ == "__main__":
    main()
