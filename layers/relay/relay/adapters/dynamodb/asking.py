"""Asking DynamoDB: each call is tried again within one deadline, and some go at once."""

from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from relay.adapters.dynamodb.failures import try_again
from relay.patience import Patience

R = TypeVar("R")
A = TypeVar("A")
B = TypeVar("B")


class Asking:
    """How the calls of one method of a port are made. All share a deadline; after it, StoreUnavailable."""

    def __init__(
        self,
        client: Any,  # noqa: ANN401 -- botocore has no types
        table: str,
        threads: Executor,
        patience: Patience,
    ) -> None:
        self._client = client
        self.table = table
        self._threads = threads
        self._patience = patience
        self._together = False

    def pause(self, reason: str = "contended") -> None:
        """Wait a little before a whole step is done anew. Raises StoreUnavailable after the deadline."""
        self._patience.pause(reason)

    def together(self, *calls: Callable[[], R]) -> list[R]:
        """Make these calls at once; return what they return. If any raises, so does this, when all have ended."""
        assert not self._together, "the threads of a pool must not wait for its others"
        if len(calls) < 2:  # noqa: PLR2004 -- one alone
            return [call() for call in calls]
        self._together = True
        try:
            futures = [self._threads.submit(call) for call in calls]
            errors = [future.exception() for future in futures]
        finally:
            self._together = False
        for error in errors:
            if error is not None:
                raise error
        return [future.result() for future in futures]

    def both(self, first: Callable[[], A], second: Callable[[], B]) -> tuple[A, B]:
        """Make two calls at once, as `together` does."""
        results: list[Any] = self.together(first, second)
        return results[0], results[1]

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:  # noqa: ANN401
        """Return one call's answer. Raises Refused, StoreUnavailable, or the error where it is a defect of ours."""
        while True:
            try:
                answer: dict[str, Any] = getattr(self._client, operation)(**parameters)
            except (ClientError, BotoCoreError) as error:
                self._patience.pause(try_again(error))
            else:
                return answer
