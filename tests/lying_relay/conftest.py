"""A liar before a real relay, that the lies of a file share: each has a vault of its own."""

from collections.abc import Iterator

import pytest

from tests.lying_relay.relay import LyingRelay, lying_before
from tools.embedded import EmbeddedRelay


@pytest.fixture(scope="module")
def liar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LyingRelay]:
    folder = tmp_path_factory.mktemp("relay")
    with EmbeddedRelay(folder, RELAY_RATE_LIMIT="off") as relay, lying_before(relay.url) as liar:
        yield liar
