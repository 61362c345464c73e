"""Calls of DynamoDB in the terms of the log: items of plain values, conditions, transactions."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from uuid import uuid4

from relay.adapters.dynamodb.asking import Asking
from relay.adapters.dynamodb.keys import Key
from relay.adapters.dynamodb.values import Item, from_item, to_item, to_value

Items = dict[tuple[str, str], Item]
"""Items by partition and sort key."""

MAX_KEYS = 100
"""What one BatchGetItem takes."""


class Calls(Asking):
    """The calls of one method of a port.

    Every write is sent again after a lost answer, so each is one that may be repeated: it is the same if done twice,
    or its condition tells, or it is a transaction with a token.
    """

    # -------- reads, all strongly consistent

    def get(self, key: Key) -> Item | None:
        """Return an item, if it is there."""
        answer = self.call("get_item", TableName=self.table, Key=to_item({**key}), ConsistentRead=True)
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
        answer = self.call("query", TableName=self.table, ConsistentRead=True, **parameters)
        return {**answer, "Items": [from_item(item) for item in answer["Items"]]}

    def query_all(
        self, pk: str, begin: str, end: str, *, limit: int | None = None, only: str | None = None
    ) -> list[Item]:
        """Return the items of a partition from one sort key up to another, at most `limit`, in ascending order.

        `only` names the attributes to return, where not all are wanted.
        """
        parameters = between(pk, begin, end)
        if only is not None:
            parameters["ProjectionExpression"] = only
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

    # -------- writes

    def put(self, item: Item, condition: str, **values: Any) -> None:  # noqa: ANN401
        """Put an item under a condition, whose `:name`s are `values`. Raises Refused with the item in the way."""
        self.call(
            "put_item",
            Item=to_item(item),
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
            **self._conditional(condition, values),
        )

    def update(self, key: Key, expression: str, condition: str, **values: Any) -> None:  # noqa: ANN401
        """Update an item under a condition. Raises Refused."""
        parameters = self._conditional(condition, values)
        self.call("update_item", Key=to_item({**key}), UpdateExpression=expression, **parameters)

    def delete_all(self, keys: Sequence[Key]) -> None:
        """Delete these items, whether they are there or not."""
        self.together(*(partial(self._delete, key) for key in keys))

    def put_with(self, item: Item, condition: str, **values: Any) -> dict[str, Any]:  # noqa: ANN401
        """Return a Put for `transact`."""
        return {"Put": {"Item": to_item(item), **self._conditional(condition, values)}}

    def delete_with(self, key: Key) -> dict[str, Any]:
        """Return a Delete for `transact`."""
        return {"Delete": {"TableName": self.table, "Key": to_item({**key})}}

    def transact(self, *writes: dict[str, Any]) -> None:
        """Do all of these writes or none. Raises Refused."""
        self.call("transact_write_items", TransactItems=list(writes), ClientRequestToken=str(uuid4()))

    def _get_part(self, keys: Sequence[Key]) -> Items:
        found: Items = {}
        asked = {self.table: {"Keys": [to_item({**key}) for key in keys], "ConsistentRead": True}}
        while asked:
            answer = self.call("batch_get_item", RequestItems=asked)
            for item in map(from_item, answer["Responses"].get(self.table, ())):
                found[item["pk"], item["sk"]] = item
            asked = answer.get("UnprocessedKeys") or {}
            if asked:
                self.pause("throttled")
        return found

    def _delete(self, key: Key) -> None:
        self.call("delete_item", TableName=self.table, Key=to_item({**key}))

    def _conditional(self, condition: str, values: dict[str, Any]) -> dict[str, Any]:
        parameters: dict[str, Any] = {"TableName": self.table, "ConditionExpression": condition}
        if values:
            parameters["ExpressionAttributeValues"] = {f":{name}": to_value(value) for name, value in values.items()}
        return parameters


def between(pk: str, begin: str, end: str) -> dict[str, Any]:
    """Return the parameters of a Query for the sort keys from `begin` to `end`, both included."""
    return {
        "KeyConditionExpression": "pk = :pk AND sk BETWEEN :begin AND :end",
        "ExpressionAttributeValues": {":pk": to_value(pk), ":begin": to_value(begin), ":end": to_value(end)},
    }
