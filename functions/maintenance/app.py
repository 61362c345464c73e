"""The scheduled Lambda function that applies retention, and that an operator calls after a restore."""

from typing import Any, Protocol

from relay.core import retention
from relay.ports import StoreUnavailable
from relay.service import Relay
from relay.wiring import prepare, relay_from_environment

prepare()

RESERVE_MS = 60_000
"""What a step may take that is begun in time: the stores themselves give up after 20 s."""


class Context(Protocol):
    """What Lambda tells a function of its own run."""

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until the function is ended."""


class MaintenanceFailed(Exception):
    """A run met a defect, which the log tells of. It says nothing: what Lambda is told, it writes to the log."""


def handler(event: dict[str, Any], context: Context | None) -> dict[str, Any]:
    """Do the event's task; return what it did. What goes wrong is told as in any request, and the run has failed.

    Raises StoreUnavailable or MaintenanceFailed.
    """
    relay = relay_from_environment()
    run_id = relay.ids.uuid()
    try:
        return run_task(relay, event, context)
    except StoreUnavailable as error:
        relay.telemetry.store_unavailable(run_id, error.reason)
        raise
    except Exception as error:  # noqa: BLE001 -- its message may hold an id
        relay.telemetry.failed(run_id, error)
        raise MaintenanceFailed from None


def run_task(relay: Relay, event: dict[str, Any], context: Context | None) -> dict[str, Any]:
    """Apply retention while there is time (without a context: to its end); return the counts of what it did.

    Asked for the task `new-epoch`, do that instead.
    """
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
