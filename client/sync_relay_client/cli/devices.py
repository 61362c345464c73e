"""The vault's devices: who belongs, and the end of one's belonging."""

import click

from sync_relay_client.cli.failures import Failure
from sync_relay_client.cli.settings import CodeCommand, Command, Settings, need_terminal, printable
from sync_relay_client.flows.roster import VaultDevice
from sync_relay_client.vault import Vault
from sync_relay_client.words import fingerprint

_SHOWN_ID_CHARACTERS = 8


@click.command(cls=Command, example="sync-relay devices")
@click.pass_obj
def devices(settings: Settings) -> None:
    """List the vault's devices, those that belong first.

    Who belongs is proven by the log. When a device came, and when it was revoked, the relay says.
    """
    with settings.open() as vault:
        for device in vault.devices():
            words = None if device.public_key is None else fingerprint(device.public_key)
            settings.result(
                f"{device.device_id[:_SHOWN_ID_CHARACTERS]}  {_standing(device):<44}  {words or ''}",
                device_id=device.device_id,
                is_this=device.is_this,
                is_founder=device.is_founder,
                belongs=device.belongs,
                registered_at=device.registered_at,
                revoked_at=device.revoked_at,
                fingerprint=words,
            )


@click.command(cls=CodeCommand, example="sync-relay devices\nsync-relay revoke 3Xf8")
@click.argument("device")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def revoke(settings: Settings, *, device: str, yes: bool) -> None:
    """Revoke DEVICE, and give the vault a new key.

    DEVICE is an id as `sync-relay devices` lists it, or a beginning that no other has. The device is not given the
    new key: what it has read it has; what comes after, it can't read. If this is cut short, `sync-relay sync` ends it.
    """
    with settings.open() as vault:
        found = _find(vault, device)
        if not yes:
            need_terminal("give --yes")
            if not click.confirm(f"Revoke {found.device_id} ({_standing(found)})?", err=True):
                raise Failure("Nothing was revoked.")
        vault.revoke(found.device_id)
        settings.result(f"Revoked {found.device_id}.", device_id=found.device_id, revoked=True)


def _find(vault: Vault, beginning: str) -> VaultDevice:
    """Return the one device whose id begins so. Raises Failure."""
    found = [device for device in vault.devices() if device.device_id.startswith(beginning)]
    if len(found) != 1:
        raise Failure("No device of the vault has such an id." if not found else "Several devices' ids begin so.")
    if found[0].is_this:
        raise Failure("A device can't revoke itself: do it on another one.")
    return found[0]


def _standing(device: VaultDevice) -> str:
    if device.is_this:
        return "this device" if device.belongs else "this device, left out"
    if not device.belongs:
        return f"revoked {printable(device.revoked_at or '')}".rstrip() if device.revoked_at else "does not belong"
    if device.is_founder:
        return "founder (with a recovery sheet: the sheet)"
    return "belongs"
