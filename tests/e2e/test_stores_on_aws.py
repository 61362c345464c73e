"""The same devices against a relay whose stores are DynamoDB and S3."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.contract.aws_world import (
    ACCESS_KEY,
    REGION,
    SECRET_KEY,
    dynamodb,
    dynamodb_served,
    new_bucket,
    new_limiter_table,
    new_log_table,
    s3_served,
)
from tests.e2e.conftest import Peer, StartRelay
from tests.e2e.test_snapshots_and_retention import (
    test_a_pruned_history_leads_to_a_snapshot_that_restores_it,  # noqa: F401 -- run here, too
)
from tests.e2e.test_two_devices import *  # noqa: F403 -- run here, too, whole
from tools.embedded import EmbeddedRelay


class Stores:
    """DynamoDB and S3 for a relay, and the variables that name them."""

    def __init__(self, dynamodb_url: str, s3_url: str) -> None:
        self.client = dynamodb(dynamodb_url)
        self.bucket = new_bucket(s3_url)
        self.log_table, limiter_table = new_log_table(self.client), new_limiter_table(self.client)
        self.variables = {
            "RELAY_METADATA": "dynamodb",
            "RELAY_BLOBS": "s3",
            "RELAY_DYNAMODB_ENDPOINT": dynamodb_url,
            "RELAY_S3_ENDPOINT": s3_url,
            "RELAY_LOG_TABLE": self.log_table,
            "RELAY_LIMITER_TABLE": limiter_table,
            "RELAY_BUCKET": self.bucket.name,
            "RELAY_ADDRESS_KEY": "k" * 32,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        }

    def items(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.client.scan(TableName=self.log_table)["Items"]
        return found


@pytest.fixture
def stores() -> Iterator[Stores]:
    with dynamodb_served() as dynamodb_url, s3_served() as s3_url:
        stores = Stores(dynamodb_url, s3_url)
        yield stores
        stores.client.close()
        stores.bucket.client.close()


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
