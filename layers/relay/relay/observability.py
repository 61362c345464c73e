"""Logs and metrics: ids, routes, statuses and times, and nothing that a client sent (§10)."""

import logging
import sys
import traceback
from contextlib import suppress
from typing import Any, Protocol, TextIO

from aws_lambda_powertools import Logger, single_metric
from aws_lambda_powertools.metrics import MetricUnit

METRICS_NAMESPACE = "SyncRelay"


class Telemetry(Protocol):
    """What the relay tells its operator."""

    def answered(self, request_id: str, route: str, status: int, code: str | None, duration_us: int) -> None:
        """Tell of one answer; `route` is the template, `code` the error's."""

    def limiter_failed(self, request_id: str, reason: str) -> None:
        """Tell that a request passed because the limiter could not answer, and count it."""

    def store_unavailable(self, request_id: str, reason: str) -> None:
        """Tell why a store could not answer."""

    def failed(self, request_id: str, error: BaseException) -> None:
        """Tell of a defect: its type and where it was raised, never its message, which may hold input."""

    def retention_ran(self, counts: dict[str, int]) -> None:
        """Tell what a run of retention did."""


class PowertoolsTelemetry:
    """Structured log lines and embedded metrics on the standard output, by powertools."""

    def __init__(self, level: str) -> None:
        self._logger = Logger(service="sync-relay", level=level, logger_handler=_StandardOutput())

    def answered(self, request_id: str, route: str, status: int, code: str | None, duration_us: int) -> None:
        """Log errors at INFO and successes at DEBUG."""
        about = {"request_id": request_id, "route": route, "status": status, "us": duration_us}
        if code is None:
            self._logger.debug("answered", extra=about)
        else:
            self._logger.info("refused", extra={"code": code, **about})

    def limiter_failed(self, request_id: str, reason: str) -> None:
        """Log a warning and count `LimiterFailed`."""
        self._logger.warning("limiter failed", extra={"request_id": request_id, "reason": reason})
        self._count("LimiterFailed")

    def store_unavailable(self, request_id: str, reason: str) -> None:
        """Log an error and count `StoreUnavailable`."""
        self._logger.error("store unavailable", extra={"request_id": request_id, "reason": reason})
        self._count("StoreUnavailable")

    def failed(self, request_id: str, error: BaseException) -> None:
        """Log the type and the frames of a defect and count `InternalError`."""
        self._logger.error("internal error", extra={"request_id": request_id, **_where(error)})
        self._count("InternalError")

    def retention_ran(self, counts: dict[str, int]) -> None:
        """Log the counts."""
        self._logger.info("retention", extra=counts)

    def _count(self, name: str) -> None:
        # Where nobody takes the output any more the relay goes on, as `logging` does.
        with (
            suppress(OSError),
            single_metric(name=name, unit=MetricUnit.Count, value=1, namespace=METRICS_NAMESPACE) as metric,
        ):
            metric.add_dimension("service", "sync-relay")


class _StandardOutput(logging.StreamHandler[TextIO]):
    """Writes to what the standard output is now: powertools keeps one logger for the whole process."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stdout
        super().emit(record)


def _where(error: BaseException) -> dict[str, Any]:
    frames = traceback.extract_tb(error.__traceback__)
    return {
        "error": type(error).__name__,
        "frames": [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames],
    }
