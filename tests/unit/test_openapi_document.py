"""The OpenAPI document says what the relay does: its examples are real, and nothing of the protocol is missing in it.

That real answers fit its schemas is checked with every answer in `tests/http/` (`documented.check`).
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import fields
from functools import partial
from typing import Any

import pytest

from relay.http.routes import ROUTES
from relay_protocol import answers, requests
from relay_protocol.changeset import Changeset
from relay_protocol.errors import InvalidField, all_errors
from relay_protocol.limits import Limits, Retention
from tests.http.documented import DOCUMENT, SCHEMAS
from tests.http.json_schema import faults

Json = dict[str, Any]

OPERATIONS: dict[str, Json] = {
    f"{method.upper()} {path}": operation
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
}
PARSERS: dict[str, Callable[[bytes], object]] = {
    "POST /devices": partial(requests.parse, requests.Registration),
    "POST /vaults/{vault_id}/changesets": partial(requests.parse_push, max_batch=Limits().max_batch),
    "POST /vaults/{vault_id}/snapshots": partial(requests.parse, requests.Announcement),
}
REFUSAL = "application/problem+json"


def _objects(value: Any) -> Iterator[Json]:
    """Yield every JSON object of the document, from the outside in."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _objects(inner)


def _responses(operation: Json) -> Iterator[tuple[int, Json]]:
    return ((int(status), response) for status, response in operation["responses"].items())


def _of(content: Json) -> list[Any]:
    """Return the examples of a media type."""
    return [content["example"]] if "example" in content else [one["value"] for one in content["examples"].values()]


# ---------------------------------------------------------------- nothing is missing


def test_every_route_and_method_is_there_and_no_other() -> None:
    assert OPERATIONS.keys() == {f"{method} {route.resource}" for route in ROUTES.values() for method in route.methods}


def test_every_error_code_is_there_and_no_other() -> None:
    refusals = [media[REFUSAL] for media in _objects(DOCUMENT) if REFUSAL in media]
    assert {code for media in refusals for code in media["examples"]} == {kind.code for kind in all_errors()}


def test_every_operation_has_a_name_of_its_own() -> None:
    names = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_declares_what_its_path_carries(name: str) -> None:
    declared = {one["name"] for one in OPERATIONS[name]["parameters"] if one["in"] == "path"}
    assert declared == {step[1:-1] for step in name.split("/") if step.startswith("{")}


def test_every_reference_leads_somewhere() -> None:
    references = {one["$ref"] for one in _objects(DOCUMENT) if isinstance(one.get("$ref"), str)}
    assert references
    for reference in references:
        found: Any = DOCUMENT
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]


# ---------------------------------------------------------------- the examples are real


def test_bodies_are_described_where_they_are_asked_for() -> None:
    assert {name for name, operation in OPERATIONS.items() if "requestBody" in operation} == PARSERS.keys()


@pytest.mark.parametrize("name", PARSERS)
def test_an_example_of_a_request_is_one_that_the_relay_parses(name: str) -> None:
    content = OPERATIONS[name]["requestBody"]["content"]["application/json"]
    for example in _of(content):
        assert not list(faults(example, content["schema"], SCHEMAS))
        assert PARSERS[name](json.dumps(example).encode())


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_example_of_an_answer_fits_its_schema(name: str) -> None:
    for _, response in _responses(OPERATIONS[name]):
        for content in response.get("content", {}).values():
            for example in _of(content):
                assert not list(faults(example, content["schema"], SCHEMAS))


@pytest.mark.parametrize("name", [name for name, schema in SCHEMAS.items() if "examples" in schema])
def test_an_example_of_a_schema_fits_its_model(name: str) -> None:
    for example in SCHEMAS[name]["examples"]:
        assert not list(faults(example, SCHEMAS[name], SCHEMAS))
        model = getattr(answers, name, None) or getattr(requests, name, None) or Changeset
        model.model_validate(example)


# ---------------------------------------------------------------- what is promised, and what may be sent


@pytest.mark.parametrize(("name", "model"), [("Limits", Limits), ("Retention", Retention)])
def test_config_is_promised_whole(name: str, model: type[Limits] | type[Retention]) -> None:
    """A client may rely on each limit: `/config` names every one (§7.1)."""
    assert set(SCHEMAS[name]["required"]) == {limit.name for limit in fields(model)}


@pytest.mark.parametrize("schema", SCHEMAS)
def test_a_member_that_may_be_left_out_is_never_null(schema: str) -> None:
    """Null is 422 in a request (§2), and the relay leaves out what it does not have."""
    optional = SCHEMAS[schema].get("properties", {}).keys() - set(SCHEMAS[schema].get("required", ()))
    assert optional == {"Registration": {"endorsement"}, "DownloadableSnapshot": {"download"}}.get(schema, set())
    for name in optional:
        member = SCHEMAS[schema]["properties"][name]
        assert "default" not in member
        assert list(faults(None, member, SCHEMAS))


def test_a_registration_with_a_null_endorsement_is_indeed_refused() -> None:
    example = SCHEMAS["Registration"]["examples"][0] | {"endorsement": None}
    with pytest.raises(InvalidField):
        requests.parse(requests.Registration, json.dumps(example).encode())


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_fields_of_the_rate_limit_are_told_where_requests_count(name: str) -> None:
    counted = name not in {"GET /health", "GET /config"}
    for _, response in _responses(OPERATIONS[name]):
        assert ({"RateLimit", "RateLimit-Policy"} <= response.get("headers", {}).keys()) is counted


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_hint_for_a_snapshot_is_told_where_it_is_given(name: str) -> None:
    for status, response in _responses(OPERATIONS[name]):
        hinted = name == "POST /vaults/{vault_id}/changesets" and status in {200, 201}
        assert ("Sync-Relay-Snapshot" in response.get("headers", {})) is hinted


@pytest.mark.parametrize("name", OPERATIONS)
def test_what_needs_a_signature_says_so(name: str) -> None:
    signed = name not in {"GET /health", "GET /config"}
    schemes = [set(choice) for choice in OPERATIONS[name].get("security", [])]
    assert bool(schemes) is signed
    assert all("httpMessageSignature" in choice for choice in schemes)
    assert (any("vaultToken" in choice for choice in schemes)) is (name == "POST /devices")
