"""What a device knows of itself without asking anyone."""

from dataclasses import dataclass

from relay_protocol.chain import Head
from sync_relay_client.answers import Urgency
from sync_relay_client.profile import Transaction


@dataclass(frozen=True, slots=True)
class Status:
    """A device's state: where it is, what waits, and what was begun."""

    device_id: str
    vault_id: str
    relay_url: str
    epoch: str
    head: Head
    belongs: bool
    """Whether the verified log says that this device belongs; a newcomer's does not yet."""
    erased: bool
    outbox: int
    """Changes that the relay has not acknowledged."""
    unverified: int
    """Changes that it has acknowledged, and that were not seen in the log yet."""
    inbox: int
    """Changes that were verified, and not applied yet."""
    restored: bool
    """Whether a snapshot's content waits to be applied."""
    revoking: int
    """Revocations that were begun and are not finished."""
    uploads: int
    """Snapshots that are sealed and not at the relay yet."""
    snapshot_wanted: Urgency | None
    """How much the relay would like a snapshot (§7.6), when it was last pushed to."""


def status_of(view: Transaction) -> Status:
    """Read it. Raises ProfileMissing before the device is in a vault."""
    device, session = view.device(), view.session()
    counts = view.connection.execute(
        "SELECT (SELECT count(*) FROM sync_relay_outbox WHERE acknowledged_seq IS NULL),"
        " (SELECT count(*) FROM sync_relay_outbox WHERE acknowledged_seq IS NOT NULL),"
        " (SELECT count(*) FROM sync_relay_inbox), (SELECT count(*) FROM sync_relay_restored),"
        " (SELECT count(*) FROM sync_relay_revocations), (SELECT count(*) FROM sync_relay_uploads), snapshot_wanted"
        " FROM sync_relay_device"
    ).fetchone()
    outbox, unverified, inbox, restored, revoking, uploads, wanted = counts
    assert device.relay_url is not None, "a vault has a relay"
    return Status(
        device_id=session.device.device_id,
        vault_id=session.vault_id,
        relay_url=device.relay_url,
        epoch=session.epoch,
        head=session.head,
        belongs=session.belongs,
        erased=device.stage == "erased",
        outbox=outbox,
        unverified=unverified,
        inbox=inbox,
        restored=bool(restored),
        revoking=revoking,
        uploads=uploads,
        snapshot_wanted=wanted,
    )
