"""The same devices against a relay as on EFS: sharded SQLite files with a rollback journal, and blobs in a bucket."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from sync_relay_client.errors import EpochChanged
from tests.e2e.conformance_run import conformance
from tests.e2e.conftest import Peer, StartRelay
from tests.e2e.documented import blocks_of
from tests.e2e.test_snapshots_and_retention import (
    test_a_pruned_history_leads_to_a_snapshot_that_restores_it,  # noqa: F401 -- run here, too
)
from tests.e2e.test_two_devices import *  # noqa: F403 -- run here, too, whole
from tools.embedded import EmbeddedRelay
from tools.stand_ins.aws import ACCESS_KEY, REGION, SECRET_KEY, new_bucket

pytestmark = pytest.mark.not_as_built("the built functions are on such a directory in test_shared_directory")

SHARDS = 4


@pytest.fixture
def variables(s3_url: str) -> Iterator[dict[str, str]]:
    bucket = new_bucket(s3_url)
    yield {
        "RELAY_SQLITE_SHARDS": str(SHARDS),
        "RELAY_SQLITE_JOURNAL": "persist",
        "RELAY_BLOBS": "s3",
        "RELAY_S3_ENDPOINT": s3_url,
        "RELAY_BUCKET": bucket.name,
        "RELAY_ADDRESS_KEY": "k" * 32,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
    }
    bucket.client.close()


@pytest.fixture
def start_relay(tmp_path: Path, variables: dict[str, str]) -> Iterator[StartRelay]:
    with ExitStack() as stack:

        def start(folder: str = "data", **more: str) -> EmbeddedRelay:
            (tmp_path / folder).mkdir()
            return stack.enter_context(EmbeddedRelay(tmp_path / folder, **variables, **more))

        yield start
        while Peer.to_close:
            Peer.to_close.pop().close()


def test_the_directory_holds_nothing_but_databases(start_relay: StartRelay) -> None:
    relay = start_relay()
    Peer.found(relay.url).push(b"a change")
    relay.maintain()
    names = {path.relative_to(relay.folder).as_posix().removesuffix("-journal") for path in relay.folder.rglob("*")}
    shards = {f"shards/{number:02}-of-04.sqlite3" for number in range(SHARDS)}
    assert names == {"shards", *shards, *(f"limiter-{number:02}.sqlite3" for number in range(SHARDS))}


def test_it_conforms_to_the_protocol(start_relay: StartRelay, tmp_path: Path) -> None:
    found = conformance(start_relay(RELAY_LOG_LEVEL="ERROR").url, tmp_path)
    assert (found.failed, found.status) == ([], 0)


def test_the_documented_backup_and_restore_bring_all_vaults_back_with_a_new_epoch(
    tmp_path: Path, start_relay: StartRelay, variables: dict[str, str]
) -> None:
    relay = start_relay()
    peers = [Peer.found(relay.url) for _ in range(2 * SHARDS)]
    for peer in peers:
        peer.push(b"before the backup")
    backup, restore = (block.text for block in blocks_of("docs/operations.md") if block.title == "efs")
    environment = os.environ | variables | {"RELAY_DATA_DIR": str(relay.folder)}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    subprocess.run(["bash", "-euc", backup], cwd=tmp_path, check=True, env=environment)
    for peer in peers:
        peer.push(b"after the backup")
    relay.stop()
    subprocess.run(["bash", "-euc", restore], cwd=tmp_path, check=True, env=environment, stdout=subprocess.DEVNULL)
    relay.start()
    epochs = set()
    for peer in peers:
        with pytest.raises(EpochChanged) as stopped:
            peer.pull()
        epochs.add(stopped.value.found)
        assert peer.client.vault(peer.session.vault_id).info().head.seq == 1
    assert len(epochs) == len(peers)
