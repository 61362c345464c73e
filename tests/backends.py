"""Backends that a machine may lack. Tests that need one are skipped there; where `CI` is set, they fail."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import pytest

from tools.emulator.emulator import is_there
from tools.stand_ins.aws import NotBuilt, dynamodb_served


def give_up(reason: str) -> NoReturn:
    """Skip the test that runs, or fail it."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def needed_dynamodb() -> Iterator[str]:
    """Run a DynamoDB; yield its URL. Gives up where it was not built."""
    try:
        with dynamodb_served() as url:
            yield url
    except NotBuilt as error:
        give_up(str(error))


def need_built_functions() -> None:
    """Give up where sam, its emulator or Lambda's Python are missing."""
    if not is_there():
        give_up("no relay as it is deployed: make emulated")
