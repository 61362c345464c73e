"""The relay is put together as its variables say, and says in one line which of them is wrong."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from relay.adapters.dynamodb import DynamoLimiter, DynamoLog
from relay.adapters.dynamodb.values import to_item
from relay.adapters.dynamodb.vault_item import Vault
from relay.adapters.filesystem import FilesystemBlobs
from relay.adapters.s3 import S3Blobs
from relay.adapters.sqlite import ShardedSqliteLimiter, ShardedSqliteLog, SqliteLog
from relay.config import ConfigurationError, Settings
from relay.ports import StoreUnavailable
from relay.wiring import build
from relay_protocol.chain import Head

ON_AWS = {
    "RELAY_METADATA": "dynamodb",
    "RELAY_BLOBS": "s3",
    "RELAY_LOG_TABLE": "log",
    "RELAY_LIMITER_TABLE": "limiter",
    "RELAY_BUCKET": "bucket",
    "RELAY_ADDRESS_KEY": "k" * 32,
}


@pytest.fixture(autouse=True)
def _region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


def test_stores_on_aws_need_no_folder(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    relay = build(Settings.from_environment(ON_AWS | {"RELAY_DATA_DIR": str(folder)}))
    assert isinstance(relay.log, DynamoLog)
    assert isinstance(relay.limiter, DynamoLimiter)
    assert isinstance(relay.blobs, S3Blobs)
    assert not folder.exists()


def test_sqlite_may_keep_its_blobs_in_a_bucket(tmp_path: Path) -> None:
    variables = {"RELAY_DATA_DIR": str(tmp_path), "RELAY_BLOBS": "s3", "RELAY_BUCKET": "bucket"}
    relay = build(Settings.from_environment(variables))
    assert isinstance(relay.log, SqliteLog)
    assert isinstance(relay.blobs, S3Blobs)


def test_a_sharded_store_with_its_blobs_in_a_bucket_writes_nothing_before_the_first_request(tmp_path: Path) -> None:
    """Functions share the directory; what is wrong with it is told by a 503 and a log line, not by a failed start."""
    variables = {name: ON_AWS[name] for name in ("RELAY_BLOBS", "RELAY_BUCKET", "RELAY_ADDRESS_KEY")}
    variables |= {"RELAY_DATA_DIR": str(tmp_path / "mount"), "RELAY_SQLITE_SHARDS": "16"}
    relay = build(Settings.from_environment(variables))
    assert isinstance(relay.log, ShardedSqliteLog)
    assert isinstance(relay.limiter, ShardedSqliteLimiter)
    assert isinstance(relay.blobs, S3Blobs)
    assert list(tmp_path.iterdir()) == []
    del variables["RELAY_ADDRESS_KEY"]
    with pytest.raises(ConfigurationError, match="RELAY_ADDRESS_KEY"):
        Settings.from_environment(variables)


def test_a_sharded_store_with_its_blobs_beside_it_makes_no_directory_either(tmp_path: Path) -> None:
    variables = {"RELAY_DATA_DIR": str(tmp_path / "mount"), "RELAY_SQLITE_SHARDS": "4"}
    with pytest.raises(StoreUnavailable, match=r"^data directory missing$"):
        build(Settings.from_environment(variables))
    (tmp_path / "mount").mkdir()
    build(Settings.from_environment(variables)).log.ping()


@pytest.mark.parametrize("shards", ["0", "65", "many"])
def test_a_number_of_shards_out_of_bounds_is_refused(shards: str) -> None:
    Settings.from_environment({"RELAY_SQLITE_SHARDS": "64"})
    with pytest.raises(ConfigurationError, match="RELAY_SQLITE_SHARDS"):
        Settings.from_environment({"RELAY_SQLITE_SHARDS": shards})


def test_the_default_is_a_folder(tmp_path: Path) -> None:
    relay = build(Settings.from_environment({"RELAY_DATA_DIR": str(tmp_path)}))
    assert isinstance(relay.log, SqliteLog)
    assert isinstance(relay.blobs, FilesystemBlobs)


@pytest.mark.parametrize("missing", [name for name in ON_AWS if name != "RELAY_METADATA"])
def test_what_is_missing_is_named(missing: str) -> None:
    variables = {name: value for name, value in ON_AWS.items() if name != missing}
    with pytest.raises(ConfigurationError, match=missing):
        Settings.from_environment(variables)


@pytest.mark.parametrize("name", ["RELAY_MAX_BATCH", "RELAY_MAX_DEVICES", "RELAY_MAX_PENDING_SNAPSHOTS"])
def test_what_lies_in_one_item_of_dynamodb_is_bounded(name: str) -> None:
    """Else the request that makes it larger than 400 KB, and each like it, would be answered with 500."""
    Settings.from_environment(ON_AWS | {name: "1000"})
    with pytest.raises(ConfigurationError, match=name):
        Settings.from_environment(ON_AWS | {name: "1001"})


def test_the_most_devices_and_uploads_of_a_vault_fit_into_its_item() -> None:
    """Twice as many uploads: those that are over stay until retention comes."""
    devices, uploads = ([f"{number:043}" for number in range(most)] for most in (1000, 2 * 1000))
    start = Head(0, bytes(32))
    vault = Vault("v", "e", 0, start, 0, 0, b"f", frozenset(devices), pending=dict.fromkeys(uploads, (2**41, 2**33)))
    assert len(str(to_item(vault.put()[0]))) < 400 * 2**10


def test_a_short_address_key_is_refused_and_not_repeated() -> None:
    with pytest.raises(ConfigurationError, match="RELAY_ADDRESS_KEY") as raised:
        Settings.from_environment(ON_AWS | {"RELAY_ADDRESS_KEY": "hush"})
    assert "hush" not in str(raised.value)


def test_without_a_region_it_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(StoreUnavailable, match="NoRegion"):
        build(Settings.from_environment(ON_AWS))


def test_the_embedded_relay_needs_nothing_of_aws(tmp_path: Path) -> None:
    """`make run` installs no botocore."""
    code = (
        "import sys; sys.modules['botocore'] = None\n"
        "from relay.config import Settings; from relay.wiring import build; import local.cli\n"
        f"build(Settings.from_environment({{'RELAY_DATA_DIR': {str(tmp_path)!r}}}))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("group", ["changesets", "devices", "maintenance", "snapshots", "vaults"])
@pytest.mark.parametrize(
    ("kind", "makes_its_relay", "parses_bodies"),
    [
        ("provisioned-concurrency", True, True),
        ("snap-start", True, True),
        ("on-demand", True, False),
        (None, False, False),
    ],
)
def test_a_function_makes_its_relay_while_lambda_starts_it(
    group: str, kind: str | None, *, makes_its_relay: bool, parses_bodies: bool
) -> None:
    """What parses bodies takes longer than the rest, and most requests have none. Embedded, importing opens nothing."""
    code = f"import sys, functions.{group}.app; print('botocore.session' in sys.modules, 'pydantic' in sys.modules)"
    environment = {**os.environ, **ON_AWS} | ({"AWS_LAMBDA_INITIALIZATION_TYPE": kind} if kind else {})
    told = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert told.stdout.split() == [str(makes_its_relay), str(parses_bodies)]
