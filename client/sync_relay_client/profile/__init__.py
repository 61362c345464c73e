"""What a device keeps: one SQLite file in a folder of its own. The app may keep its own tables in the same file.

`database` is the file and its transactions, `record` the vault and its secrets, `history` the verified log, `queues`
what goes out and what came in, `spool` the blobs under way, `profile` all of it together.
"""

from sync_relay_client.profile.profile import Profile, Transaction, open_in_vault
from sync_relay_client.profile.queues import Inbox, Outbox, Restored

__all__ = ["Inbox", "Outbox", "Profile", "Restored", "Transaction", "open_in_vault"]
