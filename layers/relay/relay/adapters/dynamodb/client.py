"""The client of DynamoDB's API."""

from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from relay.ports import StoreUnavailable

CONNECT_TIMEOUT_SECONDS = 1
READ_TIMEOUT_SECONDS = 2
CONNECTIONS = 32


def connect(endpoint: str | None = None, session: Any = None) -> Any:  # noqa: ANN401 -- botocore has no types
    """Return a client by the environment's region and credentials; `endpoint` is another server's URL.

    It tries nothing twice: `Calls` does, by our own deadline. Raises StoreUnavailable where no region is named.
    """
    config = Config(
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        read_timeout=READ_TIMEOUT_SECONDS,
        max_pool_connections=CONNECTIONS,
        retries={"mode": "standard", "total_max_attempts": 1},
        parameter_validation=False,
        ignore_configured_endpoint_urls=True,
    )
    made = session or botocore.session.get_session()
    try:
        return made.create_client("dynamodb", endpoint_url=endpoint, config=config)
    except BotoCoreError as error:
        raise StoreUnavailable(type(error).__name__) from None  # no region, no such endpoint
