"""The request vectors through the real handlers: an accepted one passes, a refused one gives its exact code (§4)."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from nacl.signing import SigningKey

from tests.http.device import Device
from tests.http.events import Event, gateway_event
from tests.http.world import NOW_SECONDS, Vault, World

VECTORS = Path(__file__).parents[2] / "schema" / "vectors"
REQUESTS = json.loads((VECTORS / "requests.json").read_text())
LINKS = json.loads((VECTORS / "chain.json").read_text())["links"]
SEEDS = {one["name"]: one["seed"] for one in json.loads((VECTORS / "devices.json").read_text())["devices"]}
STAGE = "/prod"


def _named(case: dict[str, Any]) -> str:
    return str(case["name"])


def _device(name: str) -> Device:
    return Device(SigningKey(bytes.fromhex(SEEDS[name])))


@pytest.fixture
def vectors_vault(world: World) -> Vault:
    """The vault of the vectors, whose members are alice, bob and carol."""
    assert REQUESTS["now"] == NOW_SECONDS
    vault = world.found(_device("alice"), REQUESTS["vault_id"])
    for name in ("bob", "carol"):
        device = _device(name)
        assert vault.register(device, vault.endorsement(device)).status == 201
    return vault


def _event(case: dict[str, Any]) -> Event:
    target = urlsplit(case["target"])
    is_staged = target.path.startswith(STAGE)
    return gateway_event(
        case["method"],
        target.path.removeprefix(STAGE),
        headers=case["headers"],
        query=parse_qsl(target.query, keep_blank_values=True),
        body=case["body"],
        stage=STAGE if is_staged else "",
    )


@pytest.mark.parametrize("case", REQUESTS["accepted"], ids=_named)
def test_a_request_signed_as_the_vectors_say_is_served(vectors_vault: Vault, case: dict[str, Any]) -> None:
    if case["name"] == "erase":  # its If-Match is the chain of the three changesets of chain.json
        for link in LINKS:
            author = _device("alice" if link["changeset"]["origin_device"] == _device("alice").id else "bob")
            assert vectors_vault.push(link["changeset"], by=author).json["head"]["chain"] == link["chain"]
    answer = vectors_vault.world.handle(_event(case))
    assert answer.status in {200, 201, 204}, answer.text


@pytest.mark.parametrize("case", REQUESTS["refused"], ids=_named)
def test_a_request_that_the_vectors_refuse_gets_their_code(vectors_vault: Vault, case: dict[str, Any]) -> None:
    assert vectors_vault.world.handle(_event(case)).code == case["code"]


@pytest.mark.parametrize("case", REQUESTS["refused"], ids=_named)
def test_a_refused_request_changes_nothing(vectors_vault: Vault, case: dict[str, Any]) -> None:
    before = vectors_vault.info()
    vectors_vault.world.handle(_event(case))
    assert vectors_vault.info() == before
