"""Looking up a request's signer once: when authentication asks, or ahead of that, while the limiter is waited for."""

from collections.abc import Callable

from relay.ports import Log, Signer


class SignerLookup:
    """The outcome of one request's look-up, whether it found something or raised."""

    __slots__ = ("_outcome",)

    def __init__(self) -> None:
        self._outcome: Callable[[], Signer | None] | None = None

    def ahead(self, log: Log, device_id: str, vault_id: str) -> None:
        """Look the signer up now. Raises nothing: what went wrong is raised where the signer is asked for."""
        try:
            found = log.find_signer(device_id, vault_id)
        except Exception as error:  # noqa: BLE001 -- kept for the one who asks
            self._outcome = _raising(error)
        else:
            self._outcome = lambda: found

    def result(self, log: Log, device_id: str, vault_id: str | None) -> Signer | None:
        """Return what was found ahead, or look now. Raises as `Log.find_signer` does."""
        return log.find_signer(device_id, vault_id) if self._outcome is None else self._outcome()


def _raising(error: Exception) -> Callable[[], Signer | None]:
    def outcome() -> Signer | None:
        raise error

    return outcome
