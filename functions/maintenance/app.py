"""The scheduled Lambda function that applies retention, and that an operator calls after a restore."""

from typing import Any, Protocol

from relay.core import retention
from relay.wiring import prepare, relay_from_environment

prepare()

RESERVE_MS = 60_000
"""What a step may take that is begun in time: the stores themselves give up after 20 s."""


class Context(Protocol):
    """What Lambda tells a function of its own run."""

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until the function is ended."""


def handler(event: dict[str, Any], context: Context | None) -> dict[str, Any]:
    """Apply retention while there is time (without a context: to its end); return the counts of what it did.

    Asked for the task `new-epoch`, do that instead.
    """
    relay = relay_from_environment()
    if event.get("task") == "new-epoch":
        return {"vaults": relay.log.renew_epochs(relay.ids.uuid)}
    tally = retention.run(
        relay.log,
        relay.blobs,
        relay.limiter,
        relay.settings.retention,
        relay.clock.now_us(),
        start=relay.ids.uuid(),
        has_time=lambda: context is None or context.get_remaining_time_in_millis() > RESERVE_MS,
    ).as_json()
    relay.telemetry.retention_ran(tally)
    return tally
