"""Requests that DynamoDB refuses, by its API reference, or answers in a certain way: to see who else does.

What matters to us: an adapter that breaks one of these rules passes where they are not kept.
"""

from collections.abc import Callable
from typing import Any

from relay.adapters.dynamodb import log_table

TABLE = "rules"
KEY: dict[str, Any] = {"pk": {"S": "a"}, "sk": {"S": "b"}}
TOKEN = "one request of a client"


def _put(client: Any, **parameters: Any) -> Any:
    return client.put_item(TableName=TABLE, **({"Item": KEY} | parameters))


def _write(value: str, **parameters: Any) -> dict[str, Any]:
    return {"Put": {"TableName": TABLE, "Item": {**KEY, "v": {"S": value}}, **parameters}}


def _five_megabytes(client: Any) -> Any:
    items: list[dict[str, Any]] = [{**KEY, "sk": {"S": f"{n}"}, "x": {"B": b"x" * 390_000}} for n in range(14)]
    return client.transact_write_items(TransactItems=[{"Put": {"TableName": TABLE, "Item": item}} for item in items])


def _other_content_under_one_token(client: Any) -> Any:
    client.transact_write_items(TransactItems=[_write("1")], ClientRequestToken=TOKEN)
    return client.transact_write_items(TransactItems=[_write("2")], ClientRequestToken=TOKEN)


def _nested(client: Any) -> Any:
    deep: Any = {"S": "x"}
    for _ in range(40):
        deep = {"L": [deep]}
    return _put(client, Item={**KEY, "deep": deep})


REFUSED: dict[str, Callable[[Any], Any]] = {
    "a transaction of more than 4 MB": _five_megabytes,
    "a transaction of nothing": lambda client: client.transact_write_items(TransactItems=[]),
    "another transaction under the token of one before": _other_content_under_one_token,
    "a value that no expression uses": lambda client: _put(
        client, ConditionExpression="attribute_not_exists(v)", ExpressionAttributeValues={":v": {"S": "1"}}
    ),
    "a set that holds a value twice": lambda client: _put(client, Item={**KEY, "s": {"SS": ["a", "a"]}}),
    "a number of more than 38 digits": lambda client: _put(client, Item={**KEY, "n": {"N": "1" * 39}}),
    "a value nested deeper than 32 levels": _nested,
}
"""Refused by DynamoDB and by the emulator; moto takes them."""


def send_a_transaction_again(client: Any) -> Any:
    """Send a transaction twice, as after a lost answer. The second time DynamoDB answers as the first, by the token."""
    write = _write("1", ConditionExpression="attribute_not_exists(pk)")
    client.transact_write_items(TransactItems=[write], ClientRequestToken="sent twice")
    return client.transact_write_items(TransactItems=[write], ClientRequestToken="sent twice")


def units(client: Any) -> tuple[float, float, float]:
    """Return what a put of 2.5 KB, a strong read of it, a transaction of 1 KB consume. By the price list: 3, 1, 2."""
    told = {"ReturnConsumedCapacity": "TOTAL"}
    put = _put(client, Item={**KEY, "x": {"B": b"x" * 2_500}}, **told)["ConsumedCapacity"]
    read = client.get_item(TableName=TABLE, Key=KEY, ConsistentRead=True, **told)["ConsumedCapacity"]
    small = {"Put": {"TableName": TABLE, "Item": {"pk": {"S": "a"}, "sk": {"S": "small"}}}}
    both = client.transact_write_items(TransactItems=[small], **told)["ConsumedCapacity"]
    return put["CapacityUnits"], read["CapacityUnits"], sum(one["CapacityUnits"] for one in both)


def make_table(client: Any) -> None:
    """Make the table that the requests are for."""
    client.create_table(**log_table(TABLE))
