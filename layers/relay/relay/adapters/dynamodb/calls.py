"""Calls of DynamoDB: each is tried again within one deadline, and some go at once."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from functools import partial
from typing import Any, Protocol, TypeVar
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError

from relay.adapters.dynamodb.failures import Refused, try_again
from relay.adapters.dynamodb.keys import Key
from relay.adapters.dynamodb.values import Item, from_item, to_item, to_value
from relay.patience import Patience

R = TypeVar("R")
A = TypeVar("A")
B = TypeVar("B")
Items = dict[tuple[str, str], Item]
"""Items by partition and sort key."""

MAX_KEYS = 100
"""What one BatchGetItem takes."""


class Meter(Protocol):
    """Is told of each call, and of what it consumed: for measurements."""

    def trip(self) -> None:
        """Tell that calls begin which had to wait for all before them."""

    def consumed(self, operation: str, answer: dict[str, Any]) -> None:
        """Tell of one call's answer."""

    def refused(self) -> None:
        """Tell of a write whose condition did not hold."""


class Calls:
    """The calls of one method of a port. All share a deadline; after it, StoreUnavailable.

    Every write is sent again after a lost answer, so each is one that may be repeated: it is the same if done twice,
    or its condition tells, or it is a transaction with a token.
    """

    def __init__(
        self,
        client: Any,  # noqa: ANN401 -- botocore has no types
        table: str,
        threads: Executor,
        patience: Patience,
        meter: Meter | None,
    ) -> None:
        self._client = client
        self._table = table
        self._threads = threads
        self._patience = patience
        self._meter = meter
        self._together = False

    def pause(self, reason: str = "contended") -> None:
        """Wait a little before a whole step is done anew. Raises StoreUnavailable after the deadline."""
        self._patience.pause(reason)

    # -------- reads, all strongly consistent

    def get(self, key: Key) -> Item | None:
        """Return an item, if it is there."""
        answer = self._call("get_item", TableName=self._table, Key=to_item({**key}), ConsistentRead=True)
        return from_item(answer["Item"]) if "Item" in answer else None

    def get_many(self, keys: Sequence[Key]) -> Items:
        """Return those of the items that are there, by partition and sort key. It is no view of one instant."""
        found: Items = {}
        for part in self.together(*self.gets(keys)):
            found |= part
        return found

    def gets(self, keys: Sequence[Key]) -> list[Callable[[], Items]]:
        """Return the calls that `get_many` makes, for `together`."""
        parts = [keys[start : start + MAX_KEYS] for start in range(0, len(keys), MAX_KEYS)]
        return [partial(self._get_part, part) for part in parts]

    def query(self, **parameters: Any) -> dict[str, Any]:  # noqa: ANN401
        """Return one answer of Query, with plain `Items`."""
        answer = self._call("query", TableName=self._table, ConsistentRead=True, **parameters)
        return {**answer, "Items": [from_item(item) for item in answer["Items"]]}

    def query_all(self, pk: str, begin: str, end: str, *, limit: int | None = None) -> list[Item]:
        """Return the items of a partition from one sort key up to another, at most `limit`, in ascending order."""
        parameters = between(pk, begin, end)
        items: list[Item] = []
        while limit is None or len(items) < limit:
            if limit is not None:
                parameters["Limit"] = limit - len(items)
            answer = self.query(**parameters)
            items += answer["Items"]
            if "LastEvaluatedKey" not in answer:
                break
            parameters["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
        return items

    def scan(self, **parameters: Any) -> dict[str, Any]:  # noqa: ANN401
        """Return one answer of Scan, for maintenance alone."""
        return self._call("scan", TableName=self._table, **parameters)

    # -------- writes

    def put(self, item: Item, condition: str, **values: Any) -> None:  # noqa: ANN401
        """Put an item under a condition, whose `:name`s are `values`. Raises Refused with the item in the way."""
        self._call(
            "put_item",
            Item=to_item(item),
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
            **self._conditional(condition, values),
        )

    def update(self, key: Key, expression: str, condition: str, **values: Any) -> None:  # noqa: ANN401
        """Update an item under a condition. Raises Refused."""
        parameters = self._conditional(condition, values)
        self._call("update_item", Key=to_item({**key}), UpdateExpression=expression, **parameters)

    def delete_if(self, key: Mapping[str, str | bytes], condition: str, **values: Any) -> None:  # noqa: ANN401
        """Delete an item under a condition; do nothing where it does not hold."""
        with suppress(Refused):
            self._call("delete_item", Key=to_item({**key}), **self._conditional(condition, values))

    def delete_all(self, keys: Sequence[Key]) -> None:
        """Delete these items, whether they are there or not."""
        self.together(*(partial(self._delete, key) for key in keys))

    def put_with(self, item: Item, condition: str, **values: Any) -> dict[str, Any]:  # noqa: ANN401
        """Return a Put for `transact`."""
        return {"Put": {"Item": to_item(item), **self._conditional(condition, values)}}

    def delete_with(self, key: Key) -> dict[str, Any]:
        """Return a Delete for `transact`."""
        return {"Delete": {"TableName": self._table, "Key": to_item({**key})}}

    def transact(self, *writes: dict[str, Any]) -> None:
        """Do all of these writes or none. Raises Refused."""
        self._call("transact_write_items", TransactItems=list(writes), ClientRequestToken=str(uuid4()))

    # -------- how they are made

    def together(self, *calls: Callable[[], R]) -> list[R]:
        """Make these calls at once; return what they return. If any raises, so does this, when all have ended."""
        assert not self._together
        if len(calls) < 2:  # noqa: PLR2004 -- one alone
            return [call() for call in calls]
        self._tell_trip()
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

    def _call(self, operation: str, **parameters: Any) -> dict[str, Any]:  # noqa: ANN401
        if not self._together:
            self._tell_trip()
        if self._meter is not None:
            parameters["ReturnConsumedCapacity"] = "TOTAL"
        while True:
            try:
                answer: dict[str, Any] = getattr(self._client, operation)(**parameters)
            except (ClientError, BotoCoreError) as error:
                self._patience.pause(self._try_again(error))
            else:
                if self._meter is not None:
                    self._meter.consumed(operation, answer)
                return answer

    def _try_again(self, error: Exception) -> str:
        try:
            return try_again(error)
        except Refused:
            if self._meter is not None:
                self._meter.refused()
            raise

    def _tell_trip(self) -> None:
        if self._meter is not None:
            self._meter.trip()

    def _get_part(self, keys: Sequence[Key]) -> Items:
        found: Items = {}
        asked = {self._table: {"Keys": [to_item({**key}) for key in keys], "ConsistentRead": True}}
        while asked:
            answer = self._call("batch_get_item", RequestItems=asked)
            for item in map(from_item, answer["Responses"].get(self._table, ())):
                found[item["pk"], item["sk"]] = item
            asked = answer.get("UnprocessedKeys") or {}
            if asked:
                self.pause("throttled")
        return found

    def _delete(self, key: Key) -> None:
        self._call("delete_item", TableName=self._table, Key=to_item({**key}))

    def _conditional(self, condition: str, values: dict[str, Any]) -> dict[str, Any]:
        parameters: dict[str, Any] = {"TableName": self._table, "ConditionExpression": condition}
        if values:
            parameters["ExpressionAttributeValues"] = {f":{name}": to_value(value) for name, value in values.items()}
        return parameters


def between(pk: str, begin: str, end: str) -> dict[str, Any]:
    """Return the parameters of a Query for the sort keys from `begin` to `end`, both included."""
    return {
        "KeyConditionExpression": "pk = :pk AND sk BETWEEN :begin AND :end",
        "ExpressionAttributeValues": {":pk": to_value(pk), ":begin": to_value(begin), ":end": to_value(end)},
    }
