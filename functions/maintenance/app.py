"""The scheduled Lambda function that applies retention."""

from typing import Any

from relay.core import retention
from relay.wiring import relay_from_environment


def handler(_event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Apply retention once; return the counts of what it did."""
    relay = relay_from_environment()
    tally = retention.run(
        relay.log, relay.blobs, relay.limiter, relay.settings.retention, relay.clock.now_us()
    ).as_json()
    relay.telemetry.retention_ran(tally)
    return tally
