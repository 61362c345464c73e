"""Requests that are generated from the OpenAPI document, signed and sent through a socket, get the answers it promises.

Half of them keep to the document, half break it somewhere; most are about a vault that is there. A client that is made
from the document must never meet an answer that the document does not know, nor a 5xx.
"""

import json
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi import checks

from tests.fuzz.known_vault import KnownVault, SignedBy
from tests.http.device import Device
from tools.embedded import EmbeddedRelay

EXAMPLES = int(os.environ.get("RELAY_FUZZ_EXAMPLES", "25"))
"""Requests for each operation, of each of the two kinds."""
TIMEOUT_SECONDS = 30
DOCUMENT = json.loads((Path(__file__).parents[2] / "schema" / "openapi.json").read_text("utf-8"))
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
GOOD, BAD = schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE
CASES = [
    pytest.param(f"{method.upper()} {path}", mode, id=f"{method.upper()} {path} {mode.value}")
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
    for mode in (GOOD, BAD)
    if mode is GOOD or operation["parameters"] or "requestBody" in operation  # else nothing can be wrong with it
]
CHECKS = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
STRANGER = Device.named("fuzzing stranger")
KEPT = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRelay]:
    with EmbeddedRelay(tmp_path_factory.mktemp("relay"), RELAY_RATE_LIMIT="off", RELAY_LOG_LEVEL="ERROR") as running:
        yield running


@pytest.fixture(scope="module")
def vault(relay: EmbeddedRelay) -> Iterator[KnownVault]:
    with httpx.Client(base_url=relay.url, timeout=TIMEOUT_SECONDS) as client:
        yield KnownVault(client)


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as opened:
        yield opened


@pytest.mark.parametrize(("label", "mode"), CASES)
def test_generated_requests_are_answered_as_documented(
    label: str,
    mode: schemathesis.GenerationMode,
    relay: EmbeddedRelay,
    vault: KnownVault,
    session: requests.Session,
) -> None:
    method, path = label.split()
    seen: set[int] = set()

    @KEPT
    @given(case=SCHEMA[path][method].as_strategy(generation_mode=mode), data=st.data())
    def send(case: schemathesis.Case[Any], data: st.DataObject) -> None:
        draw = partial(_draw, data)
        signer = draw([vault.founder, vault.founder, vault.member, STRANGER, None])
        _aim(case, vault, signer, draw)
        response = case.call(
            base_url=relay.url,
            session=session,
            timeout=TIMEOUT_SECONDS,
            auth=SignedBy(signer) if signer else None,
        )
        assert response.status_code < 500 or b'"quota_exceeded"' in response.content
        case.validate_response(response, checks=CHECKS)
        seen.add(response.status_code)
        if method == "DELETE" and not vault.is_whole():
            vault.found()

    send()
    assert mode is BAD or min(seen) < 300, "none of them was good"


def test_an_answer_that_the_document_does_not_know_is_found(vault: KnownVault, relay: EmbeddedRelay) -> None:
    narrower = json.loads(json.dumps(DOCUMENT))
    del narrower["paths"]["/vaults/{vault_id}"]["get"]["responses"]["401"]
    narrower["components"]["schemas"]["HeadAnswer"]["properties"]["seq"]["type"] = "string"
    operation = schemathesis.openapi.from_dict(narrower)["/vaults/{vault_id}"]["GET"]
    for signer, fault in ((None, "Undocumented status code"), (vault.founder, "is not of type")):
        case = operation.Case(path_parameters={"vault_id": vault.id})
        response = case.call(base_url=relay.url, auth=SignedBy(signer) if signer else None)
        with pytest.raises(FailureGroup, match=fault):
            case.validate_response(response, checks=CHECKS)


def _draw(data: st.DataObject, choices: list[Any]) -> Any:
    return data.draw(st.sampled_from(choices))


def _aim(case: schemathesis.Case[Any], vault: KnownVault, signer: Device | None, draw: Any) -> None:
    """Put what is there in the place of what was generated, mostly: an id that is random meets nothing but a 404."""
    parameters = case.path_parameters or {}
    for name, known in vault.ids.items():
        if name in parameters and draw([True, True, True, False]):
            parameters[name] = known
    if "If-Match" in (case.headers or {}) and draw([True, False]):
        case.headers["If-Match"] = f'"{vault.head()["chain"]}"'
    body: Any = case.body
    if not isinstance(body, dict) or signer is None:
        return
    for changeset in [body, *(body["changesets"] if isinstance(body.get("changesets"), list) else [])]:
        if isinstance(changeset, dict) and "origin_device" in changeset and draw([True, True, False]):
            changeset["origin_device"] = signer.id
    if "public_key" in body and draw([True, True, False]):
        body["public_key"] = signer.public_key
        body.pop("endorsement", None)
    if "covers" in body and draw([True, True, False]):
        body["covers"], body["size"] = vault.head(), 5
