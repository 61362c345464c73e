"""Logs and metrics: ids, routes, statuses and times, and nothing that a client sent (§10)."""

import logging
import sys
import traceback
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any, Protocol, TextIO

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

METRICS_NAMESPACE = "SyncRelay"


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer, as far as an operator may know it."""

    request_id: str
    route: str
    """The method and the route's template, or `none`."""
    vault: str | None
    """The keyed hash of the id that the path names (`Relay.vault_hash`), whether or not there is such a vault."""
    status: int
    code: str | None
    """The error's (§6); None for a success."""
    us: int
    """How long it took, in microseconds."""


class Telemetry(Protocol):
    """What the relay tells its operator."""

    def answered(self, answer: Answered) -> None:
        """Tell of one answer."""

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

    def __init__(self, level: str, service: str = "sync-relay", *, request_metrics: bool = False) -> None:
        self._logger = Logger(service=service, level=level, logger_handler=_StandardOutput())
        self._service = service
        self._request_metrics = request_metrics
        self._is_cold = True

    def answered(self, answer: Answered) -> None:
        """Log errors at INFO and successes at DEBUG; with metrics of requests, one line that is both."""
        is_cold, self._is_cold = self._is_cold, False
        level = logging.DEBUG if answer.code is None else logging.INFO
        if not self._request_metrics and self._logger.log_level > level:
            return  # before anything is put together: this is what most answers on an embedded relay come to
        about = {name: value for name, value in asdict(answer).items() if value is not None}
        about["cold_start"] = is_cold
        if self._request_metrics:
            self._measure(about)
        elif answer.code is None:
            self._logger.debug("answered", extra=about)
        else:
            self._logger.info("refused", extra=about)

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
        metrics = self._metrics({})
        metrics.add_metric(name, MetricUnit.Count, 1)
        _write(metrics)

    def _measure(self, about: dict[str, Any]) -> None:
        """Write `Duration` by route, of an error by code, too: its sample count is how many answers there were."""
        metrics = self._metrics({"route": about.pop("route")})
        if "code" in about:
            metrics.add_dimensions(service=self._service, code=about.pop("code"))
        metrics.add_metric("Duration", MetricUnit.Microseconds, about.pop("us"))
        for name, value in about.items():
            metrics.add_metadata(name, value)
        _write(metrics)

    def _metrics(self, dimensions: dict[str, str]) -> AmazonCloudWatchEMFProvider:
        # One of its own for each line: threads share nothing.
        metrics = AmazonCloudWatchEMFProvider(namespace=METRICS_NAMESPACE)
        for name, value in {"service": self._service, **dimensions}.items():
            metrics.add_dimension(name, value)
        return metrics


def _write(metrics: AmazonCloudWatchEMFProvider) -> None:
    with suppress(OSError):  # where nobody takes the output any more the relay goes on, as `logging` does
        metrics.flush_metrics()


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
