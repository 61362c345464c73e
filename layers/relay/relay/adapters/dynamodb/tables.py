"""The two tables, as CreateTable takes them: the one definition that tests, template and documentation follow."""

from typing import Any

EXPIRES_AT = "expires_at"
"""The limiter's attribute (Unix seconds) by which DynamoDB itself removes a key that owes nothing."""


def log_table(name: str) -> dict[str, Any]:
    """Return the log's table: vaults, members, changesets and records of snapshots, by partition and sort key."""
    return {
        "TableName": name,
        "KeySchema": [
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        "BillingMode": "PAY_PER_REQUEST",
    }


def limiter_table(name: str) -> dict[str, Any]:
    """Return the limiter's table: when each key's quota is whole again. `EXPIRES_AT` is its time to live."""
    return {
        "TableName": name,
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "B"}],
        "BillingMode": "PAY_PER_REQUEST",
    }
