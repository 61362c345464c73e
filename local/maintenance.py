"""Retention on the embedded relay: once, or on a timer while the server runs."""

from threading import Event, Thread
from typing import Any

from functions.maintenance import app
from relay.adapters.filesystem import FilesystemBlobs
from relay.ports import StoreUnavailable
from relay.service import Relay

STOP_SECONDS = 10


def maintain(relay: Relay) -> dict[str, Any]:
    """Do the scheduled function's work once, and remove what killed uploads left; return what the function did.

    Raises StoreUnavailable.
    """
    if isinstance(relay.blobs, FilesystemBlobs):
        relay.blobs.clean_stale_uploads()
    return app.run_task(relay, {}, None)


class Maintenance:
    """Maintains now and at every interval of the settings, in a thread of its own, from `start` to `stop`."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._stopped = Event()
        self._thread = Thread(target=self._run, name="maintenance", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; a run under way is waited for a while, then left: it may end at any step."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        self._maintain()
        while not self._stopped.wait(self._relay.settings.maintain_interval_seconds):
            self._maintain()

    def _maintain(self) -> None:
        run_id = self._relay.ids.uuid()
        try:
            maintain(self._relay)
        except StoreUnavailable as error:
            self._relay.telemetry.store_unavailable(run_id, error.reason)
        except Exception as error:  # noqa: BLE001 -- the next run may do better
            self._relay.telemetry.failed(run_id, error)
