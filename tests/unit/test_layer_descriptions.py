"""The layer's part of botocore's descriptions: a call that it lacks would fail in AWS alone, on whoever needs it."""

import ast
import re
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore import xform_name

from relay import aws
from tools.layer.descriptions import CALLS, only, only_served, write_descriptions

ADAPTERS = Path(aws.__file__).parent / "adapters"
DATA = Path(botocore.__file__).parent / "data"


@pytest.fixture
def described(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A process that has the layer's descriptions."""
    write_descriptions(DATA, tmp_path / "descriptions")
    monkeypatch.setattr(aws, "DESCRIPTIONS", tmp_path / "descriptions")
    return tmp_path / "descriptions"


@pytest.mark.parametrize("service", CALLS)
def test_every_call_of_the_adapters_is_described_and_no_other(service: str) -> None:
    """Each call's name is a text in the adapter, or a method of its client."""
    known = _names(aws.new_session().get_service_model(service.partition("/")[0]).operation_names)
    called = set()
    for source in (ADAPTERS / service.partition("/")[0]).glob("*.py"):
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                called |= {node.value} & known
            if isinstance(node, ast.Attribute) and re.search(r"client$", ast.unparse(node.value)):
                called |= {node.attr} & known
    assert called == _names(CALLS[service])


@pytest.mark.usefixtures("described")
def test_a_client_knows_the_same_requests_answers_and_errors_as_with_botocores_own() -> None:
    for service, calls in CALLS.items():
        whole = botocore.session.get_session().get_service_model(service.partition("/")[0])
        part = aws.new_session().get_service_model(service.partition("/")[0])
        assert set(part.operation_names) == set(calls)
        assert part.metadata == whole.metadata
        for call in calls:
            mine, theirs = part.operation_model(call), whole.operation_model(call)
            assert mine.http == theirs.http
            assert mine.http_checksum == theirs.http_checksum
            for shape in ("input_shape", "output_shape"):
                assert _form(getattr(mine, shape)) == _form(getattr(theirs, shape)), call
            assert [_form(error) for error in mine.error_shapes] == [_form(error) for error in theirs.error_shapes]


@pytest.mark.parametrize("region", ["eu-central-1", "us-east-1", "cn-north-1", "us-gov-west-1", "eu-nowhere-9"])
def test_a_client_asks_at_the_same_address(
    described: Path, monkeypatch: pytest.MonkeyPatch, region: str, tmp_path: Path
) -> None:
    """Also in another partition of AWS, and in a region that is newer than the description."""
    assert described.is_dir()
    for name, value in {"REGION": region, "ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "b"}.items():
        monkeypatch.setenv(f"AWS_{name}" if name != "REGION" else "AWS_DEFAULT_REGION", value)
    monkeypatch.setattr("time.time", lambda: 1_777_195_800.0)
    asked = []
    for folder in (described, tmp_path / "none"):
        monkeypatch.setattr(aws, "DESCRIPTIONS", folder)
        session = aws.new_session()
        clients = [aws.connect(service, None, session, read_timeout_seconds=1) for service in aws.SERVICES]
        asked.append([client.meta.endpoint_url for client in clients])
        for client in clients:
            client.close()
    assert asked[0] == asked[1]


def test_the_layers_descriptions_are_small(described: Path) -> None:
    """Read at each cold start: some 80 KB, where botocore's own of the same are 2.6 MB."""
    assert sum(path.stat().st_size for path in described.rglob("*.json")) < 150_000


def test_a_call_that_botocore_does_not_know_stops_the_build() -> None:
    with pytest.raises(KeyError):
        only({"operations": {"GetItem": {}}, "shapes": {}}, ("GetItems",))


def test_a_member_that_is_named_documentation_stays() -> None:
    described = only(
        {
            "operations": {"Ask": {"input": {"shape": "Asked"}, "documentation": "long"}, "Other": {}},
            "shapes": {
                "Asked": {"members": {"documentation": {"shape": "Text", "documentation": "longer"}}},
                "Text": {"type": "string"},
                "Unused": {},
            },
        },
        ("Ask",),
    )
    assert described["operations"] == {"Ask": {"input": {"shape": "Asked"}}}
    assert described["shapes"] == {
        "Asked": {"members": {"documentation": {"shape": "Text"}}},
        "Text": {"type": "string"},
    }


def test_other_services_addresses_are_left_out() -> None:
    endpoints = {"version": 3, "partitions": [{"regions": {"r": {}}, "services": {"s3": {"a": 1}, "ec2": {}}}]}
    assert only_served(endpoints, {"s3"}) == {
        "version": 3,
        "partitions": [{"regions": {"r": {}}, "services": {"s3": {"a": 1}}}],
    }


def _names(operations: Any) -> set[str]:
    return {xform_name(operation) for operation in operations}


def _form(shape: Any, seen: tuple[str, ...] = ()) -> Any:
    """Return all that decides how a shape is written and read; documentation apart."""
    if shape is None or shape.name in seen:
        return shape and shape.name
    below, seen = (*seen, shape.name), (*seen, shape.name)
    parts = [shape.name, shape.type_name, sorted(map(repr, shape.serialization.items()))]
    parts += [sorted(map(repr, ((k, v) for k, v in shape.metadata.items() if k != "documentation")))]
    for name, member in getattr(shape, "members", {}).items():
        parts.append((name, _form(member, below)))
    parts += [_form(getattr(shape, name), below) for name in ("member", "key", "value") if hasattr(shape, name)]
    return parts
