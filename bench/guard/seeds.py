"""Slow-downs that the guard has to see: each a change of one place, and the measure that it makes worse."""

from dataclasses import dataclass
from pathlib import Path

SIGNING = Path("layers/relay/relay_protocol/signing.py")
PUSHING = Path("layers/relay/relay/http/changesets.py")
CONNECTIONS = Path("layers/relay/relay/adapters/sqlite/connections.py")


@dataclass(frozen=True)
class Seed:
    """What stands in the place of `old`, which is there once."""

    name: str
    path: Path
    old: str
    new: str
    measure: str


SEEDS = (
    Seed(
        "a signature is verified twice",
        SIGNING,
        "not verifies(public_key, base, self.signature)",
        "not (verifies(public_key, base, self.signature) and verifies(public_key, base, self.signature))",
        "handler: push of 1 KB",
    ),
    Seed(
        "a pushed body is parsed twice",
        PUSHING,
        "    changesets = parse_push(body, limits.max_batch)\n",
        "    parse_push(body, limits.max_batch)\n    changesets = parse_push(body, limits.max_batch)\n",
        "server: batch of 100",
    ),
    Seed(
        "the write-ahead log is emptied after each commit",
        CONNECTIONS,
        '            connection.execute("PRAGMA secure_delete = ON")',
        '            connection.execute("PRAGMA wal_autocheckpoint = 1")\n'
        '            connection.execute("PRAGMA secure_delete = ON")',
        "server: push of 1 KB",
    ),
)
