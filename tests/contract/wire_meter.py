"""What a relay sends to its stores: units, as the store tells them, and trips, of which each waits for the one before.

Trips are counted on the wire, by what cannot go on: all that is sent is held back until nothing more comes, and then
goes at once. That is one trip, however many calls it is.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from threading import Condition, Thread
from typing import Any

QUIET_SECONDS = 0.1
"""After which no thread of a request is taken to have something left to send. If it has, a trip is counted too many."""
WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"})


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one request: write and read units, and trips; the limiter's are among them."""

    writes: float
    reads: float
    trips: int


class WireMeter:
    """Listens to a client of DynamoDB and one of S3.

    A refused write is billed, too, and told by no answer: as one unit here.
    """

    def __init__(self, dynamodb: Any, s3: Any) -> None:
        self._told: list[tuple[str, float]] = []
        self._conductor: _Conductor | None = None
        dynamodb.meta.events.register("provide-client-params.dynamodb", self._ask)
        dynamodb.meta.events.register("after-call.dynamodb", self._hear)
        for client in (dynamodb, s3):
            session = client._endpoint.http_session
            session.send = partial(self._send, session.send)

    def cost(self, request: Callable[[], object], quiet_seconds: float = QUIET_SECONDS) -> Cost:
        """Return what a request costs."""
        self._told.clear()
        with _conducted(quiet_seconds) as self._conductor:
            request()
        trips, self._conductor = self._conductor.trips, None
        writes = sum(units for operation, units in self._told if operation in WRITES)
        return Cost(writes, sum(units for _, units in self._told) - writes, trips)

    def _ask(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        if "ReturnConsumedCapacity" in model.input_shape.members:
            params["ReturnConsumedCapacity"] = "TOTAL"

    def _hear(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        told = parsed.get("ConsumedCapacity", [])
        units = sum(one["CapacityUnits"] for one in (told if isinstance(told, list) else [told]))
        is_refused = parsed.get("Error", {}).get("Code") == "ConditionalCheckFailedException"
        self._told.append((model.name, 1.0 if is_refused else units))

    def _send(self, send: Callable[[Any], Any], request: Any) -> Any:
        if self._conductor is None:
            return send(request)
        return self._conductor.send(partial(send, request))


class _Conductor:
    """Lets through at once what comes until it is quiet, and waits for all of it to be answered."""

    def __init__(self, quiet_seconds: float) -> None:
        self.trips = 0
        self._quiet_seconds = quiet_seconds
        self._changed = Condition()
        self._waiting = self._under_way = 0
        self._is_over = False

    def send(self, send: Callable[[], Any]) -> Any:
        with self._changed:
            trip = self.trips
            self._waiting += 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: self.trips > trip)
        try:
            return send()
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def conduct(self) -> None:
        with self._changed:
            while not self._is_over:
                self._changed.wait_for(lambda: self._is_over or (self._waiting and not self._under_way))
                waiting = 0
                while waiting < self._waiting:
                    waiting = self._waiting
                    self._changed.wait_for(partial(self._has_come, waiting), self._quiet_seconds)
                if waiting:
                    self.trips += 1
                    self._waiting, self._under_way = 0, waiting
                    self._changed.notify_all()

    def end(self) -> None:
        with self._changed:
            self._is_over = True
            self._changed.notify_all()

    def _has_come(self, waiting: int) -> bool:
        return self._waiting > waiting


@contextmanager
def _conducted(quiet_seconds: float) -> Iterator[_Conductor]:
    conductor = _Conductor(quiet_seconds)
    thread = Thread(target=conductor.conduct)
    thread.start()
    try:
        yield conductor
    finally:
        conductor.end()
        thread.join()
