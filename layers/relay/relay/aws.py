"""What the stores on AWS share of its SDK."""

from collections.abc import Callable
from threading import Lock
from typing import Any

import botocore.session


def new_session() -> Any:  # noqa: ANN401 -- botocore has no types
    """Return a session for all clients of a process: it reads the SDK's descriptions, and finds credentials, once."""
    return botocore.session.get_session()


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
