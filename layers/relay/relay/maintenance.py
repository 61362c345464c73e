"""Maintenance, wherever it runs: in its function, beside the embedded server, or by a command."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from relay.core import retention
from relay.ports import StoreUnavailable
from relay.service import Relay


def run_task(relay: Relay, task: str | None, has_time: Callable[[], bool] = lambda: True) -> dict[str, Any]:
    """Apply retention while there is time; return the counts of what it did.

    Asked for the task `new-epoch`, do that instead.
    """
    if task == "new-epoch":
        return {"vaults": relay.log.renew_epochs(relay.ids.uuid)}
    tally = retention.run(
        relay.log,
        relay.blobs,
        relay.limiter,
        relay.settings.retention,
        relay.clock.now_us(),
        start=relay.ids.uuid(),
        has_time=has_time,
    ).as_json()
    relay.telemetry.retention_ran(tally)
    return tally


@contextmanager
def failures_told(relay: Relay) -> Iterator[None]:
    """Tell what goes wrong in a run, as in any request; then it is raised."""
    run_id = relay.ids.uuid()
    try:
        yield
    except StoreUnavailable as error:
        relay.telemetry.store_unavailable(run_id, error.reason)
        raise
    except Exception as error:
        relay.telemetry.failed(run_id, error)
        raise
