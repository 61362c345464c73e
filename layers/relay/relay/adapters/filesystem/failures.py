"""How a failing file system is told to the core."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from relay.ports import StoreUnavailable


@contextmanager
def unavailable_on_os_error(what: str) -> Iterator[None]:
    """Raise StoreUnavailable for any OSError; the reason names `what` and the error's symbol, such as ENOSPC."""
    try:
        yield
    except OSError as error:
        symbol = errno.errorcode.get(error.errno or 0, type(error).__name__)
        raise StoreUnavailable(f"{what}: {symbol}") from error
