"""Holds every answer against the protocol's models and the OpenAPI document: exact members, documented codes."""

import json
from base64 import b64decode
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relay_protocol.answers import PushAnswer
from tests.http.json_schema import faults
from tools.openapi.operations import OPERATIONS

Json = dict[str, Any]

DOCUMENT: Json = json.loads((Path(__file__).parents[2] / "schema" / "openapi.json").read_text())
SCHEMAS: Json = DOCUMENT["components"]["schemas"]
_OPERATIONS = {(operation.resource, operation.method): operation for operation in OPERATIONS}
_BESIDE_ANY_ROUTE = {"route_not_found", "method_not_allowed"}


@dataclass(frozen=True)
class Answer:
    """What the handler answered, read as a client reads it. Header names are lower case."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def code(self) -> str | None:
        """The error's code; None if the request was not refused."""
        return self.json["code"] if self.status >= 400 else None

    @property
    def outcome(self) -> tuple[int, str | None]:
        return self.status, self.code


def read(response: Json) -> Answer:
    """Read a proxy response, which must have the shape that API Gateway asks for."""
    assert response.keys() <= {"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"}
    headers = {name.lower(): value for name, value in response["headers"].items()}
    assert all(type(value) is str for value in headers.values())
    return Answer(response["statusCode"], headers, body_of(response))


def body_of(response: Json) -> str:
    """Return a proxy response's body, as API Gateway hands it on."""
    body: str = response["body"]
    return b64decode(body, validate=True).decode() if response["isBase64Encoded"] else body


def check(answer: Answer, resource: str, method: str) -> None:
    """Fail unless the answer is one that the protocol and the OpenAPI document know for this operation."""
    assert answer.headers["cache-control"] == "no-store"
    if answer.status >= 400:
        _check_problem(answer, resource, method)
        return
    _check_fields(answer, DOCUMENT["paths"][resource][method.lower()]["responses"][str(answer.status)])
    model = _OPERATIONS[resource, method].answers[answer.status]
    if model is None:
        assert answer.text == ""
        return
    assert answer.headers["content-type"] == "application/json"
    model.model_validate(answer.json)
    assert not list(faults(answer.json, SCHEMAS[model.__name__], SCHEMAS))
    assert ("sync-relay-snapshot" not in answer.headers) or model is PushAnswer


def _check_problem(answer: Answer, resource: str, method: str) -> None:
    problem = answer.json
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["status"] == answer.status
    assert not list(faults(problem, SCHEMAS[f"Problem_{problem['code']}"], SCHEMAS))
    assert problem["type"] == "about:blank"
    assert ("retry-after" in answer.headers) == (problem["code"] in {"rate_limited", "unavailable"})
    assert ("allow" in answer.headers) == (problem["code"] == "method_not_allowed")
    if problem["code"] not in _BESIDE_ANY_ROUTE:
        assert problem["code"] in documented_codes(resource, method), "a code the OpenAPI document does not know"
        _check_fields(answer, DOCUMENT["paths"][resource][method.lower()]["responses"][str(answer.status)])


def _check_fields(answer: Answer, response: Json) -> None:
    """Fail unless the document tells of each header field that the protocol defines, and each has its form."""
    for name, header in DOCUMENT["components"]["headers"].items():
        if name.lower() in answer.headers:
            assert name in response.get("headers", {})
            assert not list(faults(answer.headers[name.lower()], header["schema"], SCHEMAS))


def documented_codes(resource: str, method: str) -> set[str]:
    """Return the codes that the OpenAPI document names for an operation."""
    responses = DOCUMENT["paths"][resource][method.lower()]["responses"]
    return {
        name
        for response in responses.values()
        for name in response.get("content", {}).get("application/problem+json", {}).get("examples", ())
    }
