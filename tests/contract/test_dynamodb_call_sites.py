"""No place in the source that asks DynamoDB, or S3 for a text, is left out where faults are enumerated."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from relay.adapters import dynamodb as adapter
from relay.adapters.dynamodb.calls import Calls
from relay.adapters.dynamodb.texts import Texts
from relay.adapters.s3 import S3Texts
from tests.contract.dynamodb_methods import METHODS, FaultyLog
from tools.stand_ins.aws import dynamodb, new_bucket, new_log_table

FOLDER = Path(adapter.__file__).parent
ASKING = {"get", "get_many", "gets", "query", "query_all", "put", "update", "delete_all", "transact"}
OF_TEXTS = {name for name in vars(Texts) if not name.startswith("_")}
METHODS_OF = {"calls": ASKING, "_calls": ASKING, "texts": OF_TEXTS}
OF_THE_LIMITER = "limiter.py"
"""Its methods are two, and fail in `test_dynamodb_faults.py`."""
Site = tuple[str, int, str]
"""File, line, and what is asked for."""


def sites() -> Iterator[Site]:
    """Yield the places that name such a method of `calls` or `texts`, called there or handed on."""
    for path in FOLDER.glob("*.py"):
        if path.name == OF_THE_LIMITER:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and node.attr in METHODS_OF.get(_last_name(node.value), ()):
                yield path.name, node.end_lineno or 0, node.attr


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


class Reached:
    """The sites that were come by since it watches."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.sites: set[Site] = set()
        for watched in (Calls, S3Texts):
            patch.setattr(watched, "__getattribute__", self._noting(object.__getattribute__))

    def _noting(self, get: Any) -> Any:
        def noting(asked: object, name: str) -> Any:
            frame = sys._getframe(1)
            self.sites.add((Path(frame.f_code.co_filename).name, frame.f_lineno, name))
            return get(asked, name)

        return noting


def test_every_call_site_is_among_those_that_fail(
    dynamodb_url: str, s3_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new one fails here until a case comes by it."""
    client = dynamodb(dynamodb_url)
    faulty = FaultyLog(client, new_log_table(client), new_bucket(s3_url))
    reached: set[Site] = set()
    for case in METHODS.values():
        vault = faulty.prepared(case)
        with monkeypatch.context() as patch:
            watching = Reached(patch)
            case.method(vault)
            reached |= watching.sites
    faulty.log.close()
    client.close()
    assert len(set(sites())) > 30
    assert set(sites()) - reached == set()
