"""Telling the operator never gets in the way of what is told."""

import errno
import io
from collections.abc import Callable

import pytest

from relay.observability import Answered, PowertoolsTelemetry
from tests.http.world import new_telemetry

SUCCESS = Answered("id", "GET /health", None, 200, None, 5)
REFUSAL = Answered("id", "GET /health", "0123456789abcdef", 503, "unavailable", 5)


class BrokenOutput(io.StringIO):
    """A pipe whose reader is gone, or a full disk."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number

    def write(self, _text: str) -> int:
        raise OSError(self._number, "broken")


@pytest.mark.parametrize("number", [errno.EPIPE, errno.ENOSPC])
@pytest.mark.parametrize(
    "tell",
    [
        lambda telemetry: telemetry.answered(SUCCESS),
        lambda telemetry: telemetry.answered(REFUSAL),
        lambda telemetry: telemetry.limiter_failed("id", "locked"),
        lambda telemetry: telemetry.store_unavailable("id", "locked"),
        lambda telemetry: telemetry.failed("id", ValueError()),
        lambda telemetry: telemetry.retention_ran({"pruned": 1}),
    ],
    ids=["success", "refusal", "limiter", "store", "defect", "retention"],
)
def test_where_nobody_takes_the_log_the_relay_goes_on(
    monkeypatch: pytest.MonkeyPatch, number: int, tell: Callable[[PowertoolsTelemetry], None]
) -> None:
    monkeypatch.setattr("sys.stdout", BrokenOutput(number))
    monkeypatch.setattr("sys.stderr", io.StringIO())  # where Python complains of it
    tell(new_telemetry("DEBUG"))
