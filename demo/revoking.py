"""Third scene: a device is revoked. It is refused, and the relay's disk would be of no use to it."""

from collections.abc import Sequence
from pathlib import Path

from demo.claims import check, scene
from demo.device import OPTIONS, LedgerDevice
from demo.syncing import EDITS, edits_of
from sync_relay_client import Envelope, VaultSession
from sync_relay_client.envelope import unseal
from sync_relay_client.errors import EnvelopeInvalid, RelayRefused
from sync_relay_client.membership import REKEY, read_rekey
from sync_relay_client.profile import open_in_vault
from tools.holdings.port import Holdings


def revoke(holdings: Holdings, phone: LedgerDevice, laptop: LedgerDevice, tablet: LedgerDevice) -> None:
    """Revoke the phone, go on without it, and see what it can still read."""
    scene("The phone is lost, and revoked.")
    before = laptop.vault.head.seq
    laptop.vault.revoke(phone.vault.device_id)
    for device, remark, first in ((laptop, "after the phone was lost", 2 * EDITS), (tablet, "at last", 3 * EDITS)):
        device.sync()
        device.record(edits_of(device, remark, first=first))
        device.sync()
    laptop.sync()
    check(tablet.items() == laptop.items(), "laptop and tablet go on, and agree")
    check(_is_refused(phone), "the relay refuses the phone")

    rekey, *pushed = holdings.envelopes(before)
    phones, tablets = held_by(phone.folder), held_by(tablet.folder)
    check(len(opened_by(tablets, pushed)) == len(pushed), f"the tablet's keys open all {len(pushed)} changes since")
    check(
        not opened_by(phones, pushed), f"with the relay's {holdings.name} in hand, the phone's keys open none of them"
    )
    check(boxes_opened_by(phones, rekey) == 0, "nor does it find a box with the new vault key that is sealed to it")
    check(boxes_opened_by(tablets, rekey) == 1, "where the tablet finds its own")


def held_by(folder: Path) -> VaultSession:
    """Return all that a device holds: its own key, and the vault's keys that it was given."""
    profile = open_in_vault(folder, OPTIONS.keyring)
    try:
        with profile.view() as view:
            return view.session()
    finally:
        profile.close()


def opened_by(thief: VaultSession, sealed: Sequence[Envelope]) -> list[bytes]:
    """Return the payloads of what opens under any of the vault keys that a device holds, whatever its key id says."""
    payloads = []
    for envelope in sealed:
        for key in thief.keys:
            try:
                payloads.append(unseal(envelope, thief.vault_id, key).change.payload)
            except EnvelopeInvalid:
                continue
    return payloads


def boxes_opened_by(thief: VaultSession, rekey: Envelope) -> int:
    """Return how many boxes of a rekey, which is sealed under the old key, a device can open."""
    change = unseal(rekey, thief.vault_id, thief.keys[0]).change
    assert change.operation_type == REKEY
    return sum(_opens(thief, box) for box in read_rekey(change.payload).values())


def _opens(thief: VaultSession, box: bytes) -> bool:
    try:
        thief.device.open_box(box)
    except ValueError:
        return False
    return True


def _is_refused(device: LedgerDevice) -> bool:
    try:
        device.vault.sync()
    except RelayRefused as error:
        return error.code == "device_revoked"
    return False
