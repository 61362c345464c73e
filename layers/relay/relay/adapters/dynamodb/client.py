"""The client of DynamoDB's API."""

from typing import Any

from relay import aws

READ_TIMEOUT_SECONDS = 2


def connect(endpoint: str | None = None, session: Any = None) -> Any:  # noqa: ANN401 -- botocore has no types
    """Return a client (`aws.connect`), for `Calls`. Raises StoreUnavailable."""
    return aws.connect(
        "dynamodb", endpoint, session, read_timeout_seconds=READ_TIMEOUT_SECONDS, parameter_validation=False
    )
