"""Assembles the OpenAPI 3.1 document."""

import re
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from relay.http.routes import ROUTES
from relay_protocol.encoding import THUMBPRINT_PATTERN, UUID_PATTERN
from relay_protocol.errors import MethodNotAllowed, RouteNotFound, all_errors
from tools.openapi.examples import ERROR_EXAMPLES, EXAMPLES, MEMBER_SCHEMAS
from tools.openapi.operations import OPERATIONS, ErrorClass, Operation

Json = dict[str, Any]

ABOUT = """A zero-knowledge relay between the devices of one vault: it orders, stores and forwards sealed changesets
and snapshots, and reads none of them. Requests are signed by HTTP Message Signatures (RFC 9421, ed25519); the rules
are in docs/protocol.md."""

PATH_PARAMETERS = {
    "vault_id": ("A UUID, lower case", UUID_PATTERN),
    "device_id": ("The JWK thumbprint of the device's key (RFC 7638)", THUMBPRINT_PATTERN),
    "sha256": ("The blob's SHA-256, base64url", THUMBPRINT_PATTERN),
}

HEADERS: Json = {
    "Allow": {"description": "The methods that the path takes", "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds to wait", "schema": {"type": "string", "pattern": "^[0-9]+$"}},
    "RateLimit-Policy": {
        "description": "Requests and seconds of a window (draft-ietf-httpapi-ratelimit-headers-10)",
        "schema": {"type": "string", "pattern": '^"(vault|address)";q=[0-9]+;w=[0-9]+$'},
    },
    "RateLimit": {
        "description": "Requests left, and seconds until the whole quota is back",
        "schema": {"type": "string", "pattern": '^"(vault|address)";r=[0-9]+;t=[0-9]+$'},
    },
    "Sync-Relay-Snapshot": {
        "description": "The log past the last covered changeset is long: a snapshot is wished for",
        "schema": {"enum": ["low", "high"]},
    },
}
COUNTED_FIELDS = ("RateLimit-Policy", "RateLimit")

SECURITY_SCHEMES: Json = {
    "httpMessageSignature": {
        "type": "apiKey",
        "in": "header",
        "name": "Signature",
        "description": "RFC 9421 with ed25519, together with Signature-Input, and Content-Digest where there is a body"
        " (docs/protocol.md §4)",
    },
    "vaultToken": {
        "type": "http",
        "scheme": "bearer",
        "description": "The operator's token, where `vault_creation` is `token` and the request creates a vault",
    },
}


def document() -> Json:
    """Return the whole document. Raises ValueError if operations and route table differ."""
    _check_against_routes()
    paths: dict[str, Json] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.resource, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Sync Relay",
            "version": "1",
            "description": ABOUT.replace("\n", " "),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "http://127.0.0.1:8787", "description": "The embedded relay (make run)"}],
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            "responses": {
                "RouteNotFound": _refusal([RouteNotFound]),
                "MethodNotAllowed": _refusal([MethodNotAllowed]),
            },
            "headers": HEADERS,
            "securitySchemes": SECURITY_SCHEMES,
        },
    }


def _check_against_routes() -> None:
    documented = {(operation.resource, operation.method) for operation in OPERATIONS}
    routed = {(route.resource, method) for route in ROUTES.values() for method in route.methods}
    if documented != routed:
        raise ValueError(f"operations and routes differ: {documented ^ routed}")


def _schemas() -> Json:
    models: set[type[BaseModel]] = {model for operation in OPERATIONS for model in operation.body}
    models |= {model for operation in OPERATIONS for model in operation.answers.values() if model}
    ordered = sorted(models, key=lambda model: model.__name__)
    _, found = models_json_schema(
        [(model, "validation") for model in ordered], ref_template="#/components/schemas/{model}"
    )
    schemas: Json = dict(sorted(found["$defs"].items()))
    for name, schema in schemas.items():
        if name in EXAMPLES:
            schema["examples"] = [EXAMPLES[name]]
    return schemas | {f"Problem_{kind.code}": _problem(kind) for kind in all_errors()}


def _problem(kind: ErrorClass) -> Json:
    members = MEMBER_SCHEMAS.get(kind.code, {})
    return {
        "type": "object",
        "description": " ".join((kind.__doc__ or "").split()),
        "required": ["type", "title", "status", "code", *members],
        "properties": {
            "type": {"type": "string", "format": "uri-reference"},
            "title": {"type": "string"},
            "status": {"const": kind.status},
            "code": {"const": kind.code},
            **members,
        },
        "additionalProperties": False,
    }


def _operation(operation: Operation) -> Json:
    counted = COUNTED_FIELDS if operation.counted else ()
    described: Json = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [ROUTES[operation.resource].group],
        "parameters": list(_parameters(operation)),
        "responses": {
            str(status): _answer(status, model, (*counted, *operation.fields))
            for status, model in operation.answers.items()
        },
    }
    for status in sorted({kind.status for kind in operation.errors}):
        kinds = [kind for kind in operation.errors if kind.status == status]
        described["responses"][str(status)] = _refusal(kinds, counted)
    if operation.body:
        schemas = [_reference(model.__name__) for model in operation.body]
        schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
        examples = {model.__name__: {"value": EXAMPLES[model.__name__]} for model in operation.body}
        content = {"application/json": {"schema": schema, "examples": examples}}
        described["requestBody"] = {"required": True, "content": content}
    if operation.security:
        described["security"] = [{name: [] for name in choice} for choice in operation.security]
    return described


def _parameters(operation: Operation) -> Iterable[Json]:
    for name in re.findall(r"{(\w+)}", operation.resource):
        description, pattern = PATH_PARAMETERS[name]
        schema: Json = {"type": "string", "pattern": pattern}
        yield {"name": name, "in": "path", "required": True, "description": description, "schema": schema}
    if operation.paged:
        since = {"type": "integer", "minimum": 0, "default": 0}
        limit = {"type": "integer", "minimum": 1, "default": 100}
        yield {"name": "since", "in": "query", "description": "Changesets after this seq", "schema": since}
        yield {"name": "limit", "in": "query", "description": "At most `max_page`", "schema": limit}
    if operation.if_match:
        required = operation.if_match.startswith("Required")
        schema = {"type": "string", "pattern": '^"[A-Za-z0-9_-]*"$'}
        yield {
            "name": "If-Match",
            "in": "header",
            "required": required,
            "description": operation.if_match,
            "schema": schema,
        }


def _answer(status: int, model: type[BaseModel] | None, fields: Sequence[str]) -> Json:
    described: Json = {"description": HTTPStatus(status).phrase, **_headers(fields)}
    if model is not None:
        media = {"schema": _reference(model.__name__), "example": EXAMPLES[model.__name__]}
        described["content"] = {"application/json": media}
    return described


def _refusal(kinds: Sequence[ErrorClass], fields: Sequence[str] = ()) -> Json:
    schemas = [_reference(f"Problem_{kind.code}") for kind in kinds]
    media = {
        "schema": schemas[0] if len(schemas) == 1 else {"oneOf": schemas},
        "examples": {kind.code: {"value": ERROR_EXAMPLES[kind.code].problem()} for kind in kinds},
    }
    of_kinds = sorted({name for kind in kinds for name in ERROR_EXAMPLES[kind.code].headers})
    return {
        "description": "; ".join(f"`{kind.code}`: {kind.title}" for kind in kinds),
        **_headers([*fields, *of_kinds]),
        "content": {"application/problem+json": media},
    }


def _headers(fields: Sequence[str]) -> Json:
    """Describe header fields that an answer may carry; nothing where there are none."""
    return {"headers": {name: {"$ref": f"#/components/headers/{name}"} for name in fields}} if fields else {}


def _reference(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}
