"""Pull: a page of a vault's log (§7.7)."""

from relay.core.snapshots import as_json, latest_of
from relay.ports import Log, Page
from relay_protocol.errors import CursorAhead, HistoryPruned, VaultNotFound


def pull(log: Log, vault_id: str, since: int, limit: int, max_page_bytes: int, now_ms: int) -> Page:
    """Return up to `limit` changesets after `since`, their texts up to `max_page_bytes` together, one at least.

    Raises HistoryPruned (with the snapshot that holds what is gone), CursorAhead or VaultNotFound.
    """
    page = log.page(vault_id, since, limit, max_page_bytes)
    if page is None:
        raise VaultNotFound
    if since < page.floor.seq:
        vault = log.vault(vault_id, now_ms)
        latest = latest_of(vault.snapshots) if vault else None
        raise HistoryPruned(page.floor, as_json(latest) if latest else None)
    if since > page.head.seq:
        raise CursorAhead(page.head)
    return page
