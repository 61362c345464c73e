"""The scheduled Lambda function that applies retention, and that an operator calls after a restore."""

from typing import Any, Protocol

from relay.maintenance import failures_told, run_task
from relay.ports import StoreUnavailable
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
    """Do the event's task, without a context to its end. Raises StoreUnavailable or MaintenanceFailed."""

    def has_time() -> bool:
        return context is None or context.get_remaining_time_in_millis() > RESERVE_MS

    relay = relay_from_environment()
    try:
        with failures_told(relay):
            return run_task(relay, event.get("task"), has_time)
    except StoreUnavailable:
        raise
    except Exception:  # noqa: BLE001 -- its message may hold an id
        raise MaintenanceFailed from None
