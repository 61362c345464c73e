"""The same devices against a relay whose stores are DynamoDB and S3."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.e2e.conftest import Peer, StartRelay
from tests.e2e.test_snapshots_and_retention import (
    test_a_pruned_history_leads_to_a_snapshot_that_restores_it,  # noqa: F401 -- run here, too
)
from tests.e2e.test_two_devices import *  # noqa: F403 -- run here, too, whole
from tools.embedded import EmbeddedRelay
from tools.stand_ins.stores import Stores

pytestmark = pytest.mark.not_as_built(
    "the embedded server on the stores that the built functions have in all other tests"
)


@pytest.fixture
def stores(dynamodb_url: str, s3_url: str) -> Iterator[Stores]:
    with closing(Stores(dynamodb_url, s3_url)) as stores:
        yield stores


@pytest.fixture
def start_relay(tmp_path: Path, stores: Stores) -> Iterator[StartRelay]:
    with ExitStack() as stack:

        def start(folder: str = "relay", **variables: str) -> EmbeddedRelay:
            return stack.enter_context(EmbeddedRelay(tmp_path / folder, **stores.variables, **variables))

        yield start
        while Peer.to_close:
            Peer.to_close.pop().close()


def test_an_erased_vault_leaves_nothing_but_its_id(start_relay: StartRelay, stores: Stores) -> None:
    relay = start_relay()
    laptop = Peer.found(relay.url)
    laptop.push(b"a change")
    laptop.push(b"large " * 100_000, b"larger " * 100_000)
    laptop.pull()
    assert [found["Key"] for found in stores.bucket.listed("texts/")]
    laptop.vault.erase(laptop.session.head.chain)
    vault_id = laptop.session.vault_id
    of_vault = [item for item in stores.items() if vault_id in str(item)]
    assert {item["pk"]["S"][:2] for item in of_vault} == {"V#", "X#"}, "the tombstone, and a note to look once more"
    assert [found["Key"] for found in stores.bucket.listed("")] == []
    assert not list(relay.folder.rglob("*")), "nothing is kept on this machine"
