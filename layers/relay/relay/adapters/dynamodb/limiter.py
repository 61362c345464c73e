"""Rate limits in a table of their own: one update a request, on the condition of what it was reckoned from."""

from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from relay.adapters.dynamodb.calls import Calls
from relay.adapters.dynamodb.failures import Refused
from relay.adapters.dynamodb.tables import EXPIRES_AT
from relay.patience import Patience
from relay.ports import Quota, Ticket

DEADLINE_SECONDS = 0.5
"""Requests pass where the limiter can't answer, so it does not try for long."""
GUESSES = 1024
THREADS = 32
"""As many requests of one process may be asked for at once; the others wait for their turn."""
_EMPTY_OR_RESTED = "attribute_not_exists(pk) OR due <= :now"


class DynamoLimiter:
    """`relay.ports.Limiter`, shared by all processes.

    The first try guesses what is stored: the time this process wrote last, or nothing that still counts. Where that
    is wrong, the refusal tells what is there.
    """

    def __init__(
        self,
        client: Any,  # noqa: ANN401 -- botocore has no types
        table: str,
        patience: Callable[[], Patience] = lambda: Patience(DEADLINE_SECONDS),
    ) -> None:
        self._client, self._table = client, table
        self._patience = patience
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="limiter")
        self._guesses: OrderedDict[bytes, int] = OrderedDict()

    def take(self, key: bytes, quota: Quota, now_us: int, meanwhile: Callable[[], None] | None = None) -> Ticket:
        """See `Limiter.take`. Where the guess itself refuses, nothing is asked, nor `meanwhile` called."""
        pk = b"L" + key
        stored = self._guesses.get(pk, 0)
        guess = stored if stored > now_us else None
        ticket, due = quota.take(guess, now_us)
        if due == guess:
            return ticket
        if meanwhile is None:
            return self._take(pk, quota, now_us, guess)
        asked = self._threads.submit(self._take, pk, quota, now_us, guess)
        meanwhile()
        return asked.result()

    def _take(self, pk: bytes, quota: Quota, now_us: int, guess: int | None) -> Ticket:
        calls = self._begin()
        while True:
            ticket, due = quota.take(guess, now_us)
            if due == guess:
                return ticket  # refused: nothing changes
            condition, values = (_EMPTY_OR_RESTED, {"now": now_us}) if guess is None else ("due = :was", {"was": guess})
            item = {"pk": pk, "due": due, EXPIRES_AT: -(-due // 1_000_000)}
            try:
                calls.put(item, condition, **values)
            except Refused as refusal:
                there: int | None = refusal.item["due"] if refusal.item else None
                guess = there if there is not None and there > now_us else None
            else:
                self._remember(pk, due)
                return ticket

    def forget(self, now_us: int) -> None:
        """See `Limiter.forget`. DynamoDB itself removes them by their time to live, at leisure and free of charge."""

    def _begin(self) -> Calls:
        return Calls(self._client, self._table, self._threads, self._patience())

    def _remember(self, pk: bytes, due: int) -> None:
        self._guesses[pk] = due
        if len(self._guesses) > GUESSES:
            self._guesses.popitem(last=False)
