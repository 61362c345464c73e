"""What the stores on AWS share of its SDK."""

from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from botocore.loaders import Loader

from relay.ports import StoreUnavailable

CONNECT_TIMEOUT_SECONDS = 1
CONNECTIONS = 32
SERVICES = ("dynamodb", "s3")
DESCRIPTIONS = Path(__file__).with_name("descriptions")
"""What the functions' layer has of botocore's descriptions (tools/layer/descriptions.py). Elsewhere it is not there,
and botocore's own are read, which takes the making of a client some 60 ms more."""


def new_session() -> Any:  # noqa: ANN401 -- botocore has no types
    """Return a session for all clients of a process: it reads the SDK's descriptions, and finds credentials, once."""
    session = botocore.session.get_session()
    if DESCRIPTIONS.is_dir():
        session.register_component("data_loader", _Descriptions(extra_search_paths=[str(DESCRIPTIONS)]))
    return session


class _Descriptions(Loader):  # type: ignore[misc]
    """Reads the layer's descriptions first, and botocore's own for whatever is not among them."""

    def list_available_services(self, type_name: str) -> list[str]:
        """Return our services, without a look into the folders of some four hundred others."""
        del type_name
        return list(SERVICES)


def connect(
    service: str,
    endpoint: str | None,
    session: Any,  # noqa: ANN401
    *,
    read_timeout_seconds: float,
    **options: Any,  # noqa: ANN401
) -> Any:  # noqa: ANN401
    """Return a client by the environment's region and credentials; `endpoint` is another server's URL.

    It tries nothing twice: who calls it does, by our own deadline. `options` are more of botocore's. Raises
    StoreUnavailable where no region is named.
    """
    config = Config(
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        read_timeout=read_timeout_seconds,
        max_pool_connections=CONNECTIONS,
        retries={"mode": "standard", "total_max_attempts": 1},
        ignore_configured_endpoint_urls=True,
        **options,
    )
    try:
        return (session or new_session()).create_client(service, endpoint_url=endpoint, config=config)
    except BotoCoreError as error:
        raise StoreUnavailable(type(error).__name__) from None  # no region, no such endpoint


class LateClient:
    """A client that is made at its first use: most requests of a log in DynamoDB need none of S3.

    `connect` makes it; what that raises, the first use raises, and the next one tries again. Safe for several threads.
    """

    def __init__(self, connect: Callable[[], Any]) -> None:
        self._connect = connect
        self._lock = Lock()
        self._client: Any = None

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 -- a client's methods
        """Return the client's method of this name."""
        with self._lock:
            if self._client is None:
                self._client = self._connect()
        return getattr(self._client, name)
