"""The doctor: looks at this machine, the profile, the relay and the vault, and says what is wrong and what to do."""

import platform
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, replace
from importlib.metadata import version

import click

from sync_relay_client.cli.failures import EXIT_FAILED
from sync_relay_client.cli.findings import Finding, finding_of
from sync_relay_client.cli.relay_checks import check_relay
from sync_relay_client.cli.settings import Command, Settings
from sync_relay_client.cli.vaults import RelayUrl
from sync_relay_client.errors import ProfileMissing, ProfileUnsafe, SyncRelayError
from sync_relay_client.profile.private_file import check_private
from sync_relay_client.status import Status
from sync_relay_client.vault import Vault

_MARKS = {"ok": "  ok  ", "look": " look ", "wrong": "WRONG "}


@click.command(cls=Command, example="sync-relay doctor\nsync-relay doctor https://relay.example")
@click.argument("relay_url", metavar="[URL]", required=False, type=RelayUrl())
@click.pass_context
def doctor(context: click.Context, *, relay_url: str | None) -> None:
    """Say what is wrong, and what to do.

    It looks at versions, the profile's modes, TLS, the relay's limits, the clock, the vault and what waits, and exits
    with 1 if anything is wrong. With URL it looks at that relay, also where there is no profile yet.
    """
    settings = context.ensure_object(Settings)
    is_well = True
    for finding in _examine(settings, relay_url):
        is_well = is_well and finding.state != "wrong"
        text = f"{_MARKS[finding.state]} {finding.subject:<9} {finding.detail}"
        settings.result(f"{text}\n       {finding.advice}" if finding.advice else text, **asdict(finding))
    if not is_well:
        context.exit(EXIT_FAILED)


def _examine(settings: Settings, relay_url: str | None) -> Iterator[Finding]:
    yield Finding(
        "versions",
        "ok",
        f"sync-relay-client {version('sync-relay-client')}, Python {platform.python_version()},"
        f" SQLite {sqlite3.sqlite_version}",
    )
    try:
        yield from _modes(settings)
        vault = settings.open()
    except ProfileMissing as error:
        yield finding_of("profile", error)
        yield from check_relay(relay_url, settings.options) if relay_url else ()
        return
    except SyncRelayError as error:
        yield finding_of("profile", error)
        return
    with vault:
        status = vault.status()
        is_own = relay_url in {None, status.relay_url}
        options = replace(settings.options, api_key=vault.api_key) if is_own else settings.options
        yield from check_relay(relay_url or status.relay_url, options)
        if is_own and not status.erased:
            yield _vault(vault)
        yield from _waiting(vault.status())
        if vault.recovery_words() is not None:
            yield Finding("sheet", "look", "the recovery sheet was not noted down", "sync-relay sheet")


def _modes(settings: Settings) -> Iterator[Finding]:
    """Look at every file of the profile. Raises ProfileUnsafe, ProfileMissing."""
    for path in settings.folder.rglob("*"):
        with suppress(ProfileMissing):  # another process is through with it
            check_private(path)
    try:
        check_private(settings.folder)
    except ProfileUnsafe as error:
        yield Finding("profile", "look", str(error), "Others see its file names and sizes: chmod go= the folder")
    else:
        yield Finding("profile", "ok", f"{settings.folder}, open to nobody else")


def _vault(vault: Vault) -> Finding:
    """Pull, which verifies what is new and that the epoch is the known one."""
    try:
        head = vault.pull().head
    except SyncRelayError as error:
        return finding_of("vault", error)
    return Finding("vault", "ok", f"verified up to {head.seq}, in the epoch that this device knows")


def _waiting(status: Status) -> Iterator[Finding]:
    """Look at what was begun and not finished, and at where this device stands."""
    if status.erased:
        yield Finding("vault", "look", "the vault was erased", "sync-relay export prints what this device holds")
    elif not status.belongs:
        advice = "If you just joined: sync-relay pull. Else it was revoked: join as a new device, --profile DIR"
        yield Finding("device", "wrong", "the log does not say that this device belongs", advice)
    for count, what in (
        (status.outbox, "changes are recorded and not sent"),
        (status.unverified, "sent changes were not seen in the log yet"),
        (status.revoking, "revocations were begun and not finished"),
        (status.uploads, "snapshots are sealed and not sent"),
    ):
        if count:
            yield Finding("waiting", "look", f"{count} {what}", "sync-relay sync")
    if status.snapshot_wanted is not None:
        yield Finding("snapshot", "look", "the relay would like one", "sync-relay snapshot create")
