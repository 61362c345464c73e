"""Retention on the embedded relay: once, or on a timer while the server runs."""

from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread
from typing import Any

from relay.adapters.filesystem import FilesystemBlobs
from relay.maintenance import failures_told, run_task
from relay.service import Relay

STOP_SECONDS = 10


def maintain(relay: Relay) -> dict[str, Any]:
    """Do the scheduled function's work once, and remove what killed uploads left; return what the function did.

    Raises StoreUnavailable.
    """
    if isinstance(relay.blobs, FilesystemBlobs):
        relay.blobs.clean_stale_uploads()
    return run_task(relay, None)


class Maintenance:
    """Maintains now and at every interval of the settings, in a thread of its own, from `start` to `stop`.

    The thread begins with `set_free`: see `local.processors`.
    """

    def __init__(self, relay: Relay, set_free: Callable[[], None] = lambda: None) -> None:
        self._relay = relay
        self._set_free = set_free
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
        self._set_free()
        self._maintain()
        while not self._stopped.wait(self._relay.settings.maintain_interval_seconds):
            self._maintain()

    def _maintain(self) -> None:
        with suppress(Exception), failures_told(self._relay):  # the next run may do better
            maintain(self._relay)
