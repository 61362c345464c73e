"""The scheduled Lambda function that applies retention, and that an operator calls after a restore."""

from typing import Any

from relay.core import retention
from relay.wiring import relay_from_environment


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Apply retention once and return the counts of what it did; asked for the task `new-epoch`, do that instead."""
    relay = relay_from_environment()
    if event.get("task") == "new-epoch":
        return {"vaults": relay.log.renew_epochs(relay.ids.uuid)}
    tally = retention.run(
        relay.log, relay.blobs, relay.limiter, relay.settings.retention, relay.clock.now_us()
    ).as_json()
    relay.telemetry.retention_ran(tally)
    return tally
