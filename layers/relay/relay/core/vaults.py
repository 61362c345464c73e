"""A vault as a whole: what its members see of it, and its erasure (§7.5)."""

from collections.abc import Callable

from relay.ports import Blobs, Log, VaultInfo
from relay_protocol.errors import HeadMoved, VaultNotFound

SWEEP_ROWS = 2_000


def vault(log: Log, vault_id: str, now_ms: int) -> VaultInfo:
    """Return the vault. Raises VaultNotFound."""
    found = log.vault(vault_id, now_ms)
    if found is None:
        raise VaultNotFound
    return found


def stored_bytes(info: VaultInfo) -> int:
    """Return what `max_vault_bytes` bounds: the unpruned changesets and the snapshots that are there."""
    return info.changeset_bytes + sum(record.size_bytes for record in info.snapshots)


def erase(log: Log, blobs: Blobs, vault_id: str, if_match: bytes, now_ms: int, has_time: Callable[[], bool]) -> None:
    """Erase the vault for ever. Raises HeadMoved; then nothing has changed.

    Once the log has marked it, the vault is gone for everyone. What is left after that, rows and blobs, by a crash or
    for want of time, the next runs of retention remove.
    """
    info = log.vault(vault_id, now_ms)
    head = log.erase(vault_id, if_match)
    if head is not None:
        raise HeadMoved(head)
    for record in info.snapshots if info else ():
        if not has_time():
            return
        blobs.delete(record.blob_key)
    while log.sweep(SWEEP_ROWS) and has_time():
        pass
