"""The template deployed as it is by default, with each of the stores, once for a module's tests."""

from collections.abc import Iterator

import pytest

from tests.backends import need_built_functions
from tests.infra.deployed import Deployed, deployed
from tools.emulator.built import Built


@pytest.fixture(scope="module")
def on_dynamodb() -> Iterator[Deployed]:
    with deployed() as stack:
        yield stack


@pytest.fixture(scope="module")
def on_efs() -> Iterator[Deployed]:
    with deployed(MetadataStore="sqlite-efs") as stack:
        yield stack


@pytest.fixture(scope="module", params=["on_dynamodb", "on_efs"])
def stack(request: pytest.FixtureRequest) -> Deployed:
    found: Deployed = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="module")
def built() -> Built:
    """Return what `sam build` made for the emulator."""
    need_built_functions()
    return Built(VaultCreation="open")
